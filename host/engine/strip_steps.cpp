// SPDX-License-Identifier: MIT
#include "host/engine/strip_steps.hpp"

#include <algorithm>

#include "host/backend/backend.hpp"

namespace impasto {
namespace {

/// Of an image; no rows are an empty tensor.
Tensor rows_or_none(const Tensor& image, std::int64_t top, std::int64_t height) {
  return height == 0 ? Tensor() : rows_of(image, top, height);
}

std::int64_t own_begin(const StripRows& rows) { return rows.above; }
std::int64_t own_end(const StripRows& rows) { return rows.above + rows.own; }

}  // namespace

void add_handover(Schedule& schedule, Communicator& ranks, const VggLayer* layer, TensorId map,
                  const StripRows& rows) {
  // Behind a blur a map that does not end with the picture has a row more.
  require(schedule[map].shape.height >= own_end(rows) + rows.below, "a strip's map of {} rows",
          schedule[map].shape.height);
  schedule.add({.name = "halo", .operation = "exchange", .layer = layer}, {map},
               [=, &ranks](Backend& /*backend*/, const Schedule& s) {
                 if (!s[map]) return;  // while it is prepared
                 for (std::int64_t n = 0; n < s[map].shape.batch; ++n) {
                   const Tensor image = image_of(s[map], n);
                   ranks.exchange(
                       {.sent = rows_or_none(image, own_begin(rows), rows.above),
                        .received = rows_or_none(image, 0, rows.above)},
                       {.sent = rows_or_none(image, own_end(rows) - rows.below, rows.below),
                        .received = rows_or_none(image, own_end(rows), rows.below)});
                 }
               });
}

void add_handover_backward(Schedule& schedule, Communicator& ranks, const VggLayer* layer,
                           TensorId grad, const StripRows& rows) {
  const auto room = [&](std::int64_t height) {
    Shape shape = schedule[grad].shape;
    shape.height = std::max<std::int64_t>(height, 1);
    return schedule.temporary(shape, schedule[grad].type);
  };
  const TensorId from_above = room(rows.above);
  const TensorId from_below = room(rows.below);
  const std::vector<TensorId> touched = {grad, from_above, from_below};
  schedule.add({.name = "halo backward", .operation = "exchange", .layer = layer}, touched,
               [=, &ranks](Backend& backend, const Schedule& s) {
                 if (!s[grad]) return;
                 for (std::int64_t n = 0; n < s[grad].shape.batch; ++n) {
                   const Tensor image = image_of(s[grad], n);
                   const Tensor above = rows_or_none(image, 0, rows.above);
                   const Tensor below = rows_or_none(image, own_end(rows), rows.below);
                   const auto received = [n](const Tensor& batch, const Tensor& sent) {
                     return sent ? image_of(batch, n) : Tensor();
                   };
                   ranks.exchange({.sent = above, .received = received(s[from_above], above)},
                                  {.sent = below, .received = received(s[from_below], below)});
                   if (above) backend.fill_zero(above);
                   if (below) backend.fill_zero(below);
                 }
               });
  const auto add = [&](TensorId from, std::int64_t height, std::int64_t top) {
    if (height == 0) return;
    schedule.add({.name = "halo backward", .operation = "crop_backward", .layer = layer}, touched,
                 [=](Backend& backend, const Schedule& s) {
                   backend.crop_backward(s[grad], s[from], s[grad], {top, 0}, {.accumulate = true});
                 });
  };
  add(from_above, rows.above, own_begin(rows));
  add(from_below, rows.below, own_end(rows) - rows.below);
}

void add_sums_over_ranks(Schedule& schedule, Communicator& ranks,
                         const std::vector<Summand>& summands) {
  if (summands.empty()) return;
  const auto tensor_of = [](const Schedule& s, const Summand& summand) {
    return summand.image ? image_of(s[summand.tensor], *summand.image) : s[summand.tensor];
  };
  const DataType type = schedule[summands.front().tensor].type;
  std::int64_t count = 0;
  std::vector<TensorId> touched;
  for (const Summand& summand : summands) {
    count += tensor_of(schedule, summand).shape.count();
    touched.push_back(summand.tensor);
  }
  const TensorId parts = schedule.temporary({.batch = ranks.size(), .channels = count}, type);
  const TensorId sum = schedule.temporary({.channels = count}, type);
  touched.push_back(parts);
  touched.push_back(sum);
  /// Copies all of them, which lie behind one another in `block`, there or back.
  const auto copy_all = [=](Backend& backend, const Schedule& s, const Tensor& block, bool back) {
    auto* next = block.as<std::byte>();
    for (const Summand& summand : summands) {
      const Tensor own = tensor_of(s, summand);
      const Tensor piece{next, own.shape, own.type};
      back ? backend.copy(own, piece) : backend.copy(piece, own);
      next += own.bytes();
    }
  };
  schedule.add({.name = "sum over devices", .operation = "gather"}, touched,
               [=, &ranks](Backend& backend, const Schedule& s) {
                 if (!s[parts]) return;
                 copy_all(backend, s, image_of(s[parts], ranks.rank()), false);
                 std::vector<Tensor> all;
                 for (int r = 0; r < ranks.size(); ++r) all.push_back(image_of(s[parts], r));
                 ranks.gather(all);
               });
  schedule.add({.name = "sum over devices", .operation = "axpby"}, touched,
               [=, size = ranks.size()](Backend& backend, const Schedule& s) {
                 for (int r = 0; r < size; ++r) {
                   backend.axpby(s[sum], 1, image_of(s[parts], r), r == 0 ? 0 : 1);
                 }
                 if (s[sum]) copy_all(backend, s, s[sum], true);
               });
}

void add_broadcast(Schedule& schedule, Communicator& ranks, const std::vector<TensorId>& tensors) {
  schedule.add({.name = "first device's", .operation = "broadcast"}, tensors,
               [=, &ranks](Backend& /*backend*/, const Schedule& s) {
                 for (const TensorId tensor : tensors) {
                   if (s[tensor]) ranks.broadcast(s[tensor]);
                 }
               });
}

void add_gathering(Schedule& schedule, const Strips& strips, TensorId pictures) {
  schedule.add({.name = "strips", .operation = "gather"}, {pictures},
               [=](Backend& /*backend*/, const Schedule& s) {
                 if (s[pictures]) strips.gather(s[pictures]);
               });
}

}  // namespace impasto
