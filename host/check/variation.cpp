// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

using kernels::VariationForm;

std::vector<OpCase> variation_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                    DataType /*storage*/) {
  struct Form {
    const char* name;
    VariationForm form;
    double gradient;  ///< so that the gradient is of the size of what it is added to
  };
  std::vector<OpCase> cases;
  for (const Form& form :
       {Form{"absolute", VariationForm::absolute, 1}, Form{"means", VariationForm::means, 0.1},
        Form{"power", VariationForm::power, 1e-4},
        Form{"nine points", VariationForm::nine_point, 0.1}}) {
    for (const bool with_gradient : {true, false}) {
      cases.push_back(
          {.variant = std::string(form.name) + (with_gradient ? "" : ", loss alone"),
           .measured = with_gradient && form.form == VariationForm::absolute,
           .work = {.flops = 20 * work::values(pixels), .bytes = 12 * work::values(pixels)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor loss = bench.master_output({.batch = pixels.batch});
             const Tensor grad = with_gradient ? bench.master(pixels, 8) : Tensor{};
             const Tensor picture = bench.master(pixels, 3, 60, 120);
             // It adds to `grad` every time.
             const VariationOptions options{
                 .form = form.form, .beta = 2.5, .loss = 0.5, .gradient = form.gradient};
             return {[=, &on] { on.variation(loss, grad, picture, options); },
                     {loss, with_gradient ? grad : loss, picture},
                     2};
           }});
    }
  }
  return cases;
}

}  // namespace

std::vector<Operation> variation_operations() {
  return {{.name = "variation", .layers = {"pixels"}, .on_pixels = true, .cases = variation_cases}};
}

}  // namespace impasto
