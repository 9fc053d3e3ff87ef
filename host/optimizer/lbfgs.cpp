// SPDX-License-Identifier: MIT
#include "host/optimizer/lbfgs.hpp"

#include <optional>
#include <vector>

namespace impasto {
namespace {

/// Sums over all strips.
LbfgsParts parts_of(const Strips& strips) {
  Communicator* const ranks = strips.ranks();
  if (ranks == nullptr) return {};
  return {.count = ranks->size(),
          .own = ranks->rank(),
          .gather = [ranks](double* sums, std::int64_t values) {
            const Tensor all{sums, {.batch = ranks->size(), .channels = values}, DataType::f64};
            std::vector<Tensor> parts;
            for (int r = 0; r < ranks->size(); ++r) parts.push_back(image_of(all, r));
            ranks->gather(parts);
          }};
}

class Lbfgs final : public Optimizer {
 public:
  Lbfgs(const LbfgsOptions& options, const Tensor& pixels, const OptimizerPlace& place)
      : options_(options),
        bounded_(place.bounded),
        strips_(place.strips),
        parts_(parts_of(strips_)),
        pairs_(reserve_rows(strips_, pairs_shape(options, pixels.shape), pixels.type)),
        direction_(reserve_rows(strips_, pixels.shape, pixels.type)),
        last_grad_(reserve_rows(strips_, pixels.shape, pixels.type)),
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
                   for (const OwnPart& part : own_parts(strips_, s[pixels], s[grad_pixels])) {
                     backend.lbfgs(part.x, part.of(state_[pairs_]), part.of(state_[direction_]),
                                   part.of(state_[last_grad_]), part.of(state_[scalars_]),
                                   part.grad, loss ? part.of(s[*loss]) : Tensor(),
                                   ended_ ? part.of(state_[*ended_]) : Tensor(), options_, parts_);
                   }
                 });
    if (bounded_) add_box(schedule, pixels);
  }

  [[nodiscard]] bool reads_whole_gradient() const override { return false; }

  [[nodiscard]] const Tensor* ended() const override { return ended_ ? &state_[*ended_] : nullptr; }

 private:
  static Shape pairs_shape(const LbfgsOptions& options, Shape pixels) {
    pixels.batch *= kernels::lbfgs_vectors(options.history);
    return pixels;
  }

  LbfgsOptions options_;
  bool bounded_;
  Strips strips_;
  LbfgsParts parts_;
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
  return std::make_unique<Lbfgs>(scaled, pixels, place);
}

}  // namespace impasto
