// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/product.hpp"

namespace impasto::cpu {

/// kernels/gram/gram.hpp through oneDNN's products. The pixels are cut into chunks that depend on
/// the size alone; each chunk is one product of a batch, and their sums are added in order. That
/// fixes the order whatever the number of threads, and no float accumulator sees more than a chunk.
class Gram {
 public:
  explicit Gram(Product& product) : product_(product) {}

  void operator()(const Tensor& gram, const Tensor& features);

 private:
  Product& product_;
  std::vector<float> partial_;  ///< (chunks,C,C), grown when a larger map comes
};

}  // namespace impasto::cpu
