// SPDX-License-Identifier: MIT
#include "host/terms/content.hpp"

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

class ContentTerm final : public Term, public TiledTerm {
 public:
  ContentTerm(const ContentLoss& loss, const TermPlace& place)
      : Term(place),
        target_(place.files != nullptr ? place.files->reserve(of_rows(place), place.activations)
                                       : state_.reserve(of_rows(place), place.activations)) {
    const double held = activation_scale(place.activations);
    scale_.loss = loss.scale.at(place.shape) / (held * held);
    scale_.gradient = place.gradient_weight * 2 * scale_.loss;
  }

  TargetSource target_source() const override { return TargetSource::content; }

  void add_target(Schedule& schedule, TensorId x, const TargetShare& /*share*/) const override {
    schedule.add(
        {.name = "content target", .operation = "copy", .layer = layer()}, {x},
        [=, this](Backend& backend, const Schedule& s) { backend.copy(state_[target_], s[x]); });
  }

  /// The loss is computed together with its gradient, in one pass over the map.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const StepKind kind{.name = "content loss", .operation = "content_loss", .layer = layer()};
    if (!with_gradient) {
      schedule.add(kind, {x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
        backend.content_loss(loss.in(s), {}, s[x], state_[target_], scale_, {});
      });
      return std::nullopt;
    }
    return GradientTerm{
        layer(), order(GradientTerm::Order::before_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          StepKind joined = kind;
          joined.epilogue = epilogue;
          backward.add(joined, {grad_x, x, loss.losses},
                       [=, this](Backend& backend, const Schedule& s) {
                         backend.content_loss(loss.in(s), s[grad_x], s[x], state_[target_], scale_,
                                              epilogue);
                       });
        }};
  }

  const TiledTerm* tiled() const override { return this; }

  void add_loss_of_part(Schedule& schedule, const TilePart& part, const LossSlot& loss,
                        std::optional<TensorId> grad) const override {
    const Tensor& map = schedule[part.x];
    const TensorId target = schedule.temporary(map.shape, map.type);
    const TensorId own = schedule.temporary({1, 1, 1, map.shape.batch}, place_.master);
    add_target_to(schedule, target, part);
    schedule.add({.name = "content loss", .operation = "content_loss", .layer = layer()},
                 {own, part.x, target, grad.value_or(own)},
                 [=, this, x = part.x](Backend& backend, const Schedule& s) {
                   backend.content_loss(s[own], grad ? s[*grad] : Tensor{}, s[x], s[target], scale_,
                                        {});
                 });
    add_to_losses(schedule, "content loss", loss, own);
  }

  void clear_target(Schedule& schedule) const override {
    if (place_.files != nullptr) return;  // the parts of all tiles make it up
    schedule.add(
        {.name = "content target", .operation = "fill_zero", .layer = layer()}, {},
        [this](Backend& backend, const Schedule& /*s*/) { backend.fill_zero(state_[target_]); });
  }

  void add_target_of_part(Schedule& schedule, const TilePart& part) const override {
    if (place_.files != nullptr) {
      schedule.add({.name = "content target", .operation = "read", .layer = layer()}, {part.x},
                   [this, corner = part.in_map, x = part.x](Backend& backend, const Schedule& s) {
                     if (!s[x]) return;  // what is planned has no memory yet
                     place_.files->write(backend, in_file(*corner), s[x]);
                   });
      return;
    }
    schedule.add({.name = "content target", .operation = "crop_backward", .layer = layer()},
                 {part.x},
                 [this, corner = part.in_map, x = part.x](Backend& backend, const Schedule& s) {
                   backend.crop_backward(state_[target_], s[x], state_[target_], in_target(*corner),
                                         {.accumulate = true});
                 });
  }

 private:
  /// Appends what brings the target of a part to `target`.
  void add_target_to(Schedule& schedule, TensorId target, const TilePart& part) const {
    const StepKind kind{.name = "content target", .operation = "crop_forward", .layer = layer()};
    if (place_.files == nullptr) {
      schedule.add(kind, {target},
                   [=, this, corner = part.in_map](Backend& backend, const Schedule& s) {
                     backend.crop_forward(s[target], state_[target_], in_target(*corner));
                   });
      return;
    }
    schedule.add({.name = kind.name, .operation = "write", .layer = layer()}, {target},
                 [=, this, corner = part.in_map](Backend& backend, const Schedule& s) {
                   if (!s[target]) return;
                   place_.files->read(backend, s[target], in_file(*corner));
                 });
  }

  static Shape of_rows(const TermPlace& place) {
    Shape shape = place.shape;
    shape.height = place.rows.height;
    return shape;
  }
  /// A corner of the map as it is in the target.
  [[nodiscard]] Corner in_target(const Corner& in_map) const {
    return {in_map.top - place_.rows.top, in_map.left};
  }
  [[nodiscard]] FiledTensors::Place in_file(const Corner& in_map) const {
    return {.number = target_, .corner = in_target(in_map)};
  }

  ContentLossScale scale_;
  /// (N,rows,W,C): the content pictures' feature maps, among the files' tensors where there are any.
  std::size_t target_;
};

}  // namespace

std::unique_ptr<Term> ContentLoss::make_term(const TermPlace& place) const {
  return std::make_unique<ContentTerm>(*this, place);
}

}  // namespace impasto
