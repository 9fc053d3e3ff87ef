// SPDX-License-Identifier: MIT
#include "host/optimizer/lbfgs.hpp"

#include <optional>
#include <vector>

namespace impasto {
namespace {

class Lbfgs final : public Optimizer {
 public:
  Lbfgs(const LbfgsOptions& options, const Tensor& pixels, bool bounded)
      : options_(options),
        bounded_(bounded),
        pairs_(state_.reserve(pairs_shape(options, pixels.shape), pixels.type)),
        direction_(state_.reserve(pixels.shape, pixels.type)),
        last_grad_(state_.reserve(pixels.shape, pixels.type)),
        scalars_(state_.reserve(
            {.batch = pixels.shape.batch, .channels = kernels::lbfgs_state_values(options.history)},
            DataType::f64)) {
    if (!options.tests()) return;
    ended_ = state_.reserve({.batch = pixels.shape.batch, .channels = 2}, pixels.type);
  }

  void add_step(Schedule& schedule, TensorId pixels, const Evaluation& evaluation) const override {
    const TensorId grad_pixels = evaluation.gradient();
    std::vector<TensorId> touched = {pixels, grad_pixels};
    std::optional<TensorId> loss;
    if (ended_) touched.push_back(loss.emplace(evaluation.loss()));
    schedule.add({.name = "L-BFGS", .operation = "lbfgs"}, touched,
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.lbfgs(s[pixels], state_[pairs_], state_[direction_], state_[last_grad_],
                                 state_[scalars_], s[grad_pixels], loss ? s[*loss] : Tensor(),
                                 ended_ ? state_[*ended_] : Tensor(), options_, {});
                 });
    if (bounded_) add_box(schedule, pixels);
  }

  [[nodiscard]] const Tensor* ended() const override { return ended_ ? &state_[*ended_] : nullptr; }

 private:
  static Shape pairs_shape(const LbfgsOptions& options, Shape pixels) {
    pixels.batch *= kernels::lbfgs_vectors(options.history);
    return pixels;
  }

  LbfgsOptions options_;
  bool bounded_;
  std::size_t pairs_;
  std::size_t direction_;
  std::size_t last_grad_;
  std::size_t scalars_;
  std::optional<std::size_t> ended_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const LbfgsOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  require_pixels("L-BFGS", place);
  LbfgsOptions scaled = options;
  scaled.gradient_scale = place.gradient_scale;
  return std::make_unique<Lbfgs>(scaled, pixels, place.bounded);
}

}  // namespace impasto
