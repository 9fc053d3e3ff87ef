// SPDX-License-Identifier: MIT
#include "host/backend/strips.hpp"

namespace impasto {

std::int64_t Strips::top() const {
  return ranks_ == nullptr ? 0 : borders_[static_cast<std::size_t>(ranks_->rank())];
}

Shape Strips::shape_of(Shape pictures) const {
  if (ranks_ == nullptr) return pictures;
  pictures.height = borders_[static_cast<std::size_t>(ranks_->rank()) + 1] - top();
  return pictures;
}

std::vector<Tensor> Strips::own(const Tensor& pictures) const {
  if (ranks_ == nullptr) return {pictures};
  const std::int64_t height = shape_of(pictures.shape).height;
  std::vector<Tensor> strips;
  for (std::int64_t n = 0; n < pictures.shape.batch; ++n) {
    strips.push_back(rows_of(image_of(pictures, n), top(), height));
  }
  return strips;
}

void Strips::gather(const Tensor& pictures) const {
  if (ranks_ == nullptr) return;
  for (std::int64_t n = 0; n < pictures.shape.batch; ++n) {
    std::vector<Tensor> strips;
    for (std::size_t r = 0; r + 1 < borders_.size(); ++r) {
      strips.push_back(rows_of(image_of(pictures, n), borders_[r], borders_[r + 1] - borders_[r]));
    }
    ranks_->gather(strips);
  }
}

Tensor Strips::whole(Device& device, const Tensor& rows, const Tensor& room) const {
  if (ranks_ == nullptr) return rows;
  const std::vector<Tensor> strips = own(room);
  for (std::size_t p = 0; p < strips.size(); ++p) {
    device.copy(strips[p], part_of(rows, static_cast<std::int64_t>(p),
                                   static_cast<std::int64_t>(strips.size())));
  }
  gather(room);
  return room;
}

Tensor part_of(const Tensor& batch, std::int64_t p, std::int64_t parts) {
  const std::int64_t images = batch.shape.batch / parts;
  Tensor part = image_of(batch, p * images);
  part.shape.batch = images;
  return part;
}

}  // namespace impasto
