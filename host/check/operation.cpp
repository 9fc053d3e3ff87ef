// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

#include <cmath>
#include <limits>

#include "host/core/error.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/philox.hpp"

namespace impasto {

// One for each, in <stem>.cpp.
std::vector<Operation> conv_operations();
std::vector<Operation> first_conv_operations();
std::vector<Operation> replicate_border_operations();
std::vector<Operation> pool_operations();
std::vector<Operation> max_blur_operations();
std::vector<Operation> guide_operations();
std::vector<Operation> crop_operations();
std::vector<Operation> gram_operations();
std::vector<Operation> gram_loss_operations();
std::vector<Operation> first_conv_gram_loss_operations();
std::vector<Operation> style_loss_operations();
std::vector<Operation> style_backward_operations();
std::vector<Operation> style_first_conv_operations();
std::vector<Operation> channel_statistics_operations();
std::vector<Operation> clamp_operations();
std::vector<Operation> colour_map_operations();
std::vector<Operation> content_loss_operations();
std::vector<Operation> normalize_gradient_operations();
std::vector<Operation> temporal_loss_operations();
std::vector<Operation> total_variation_operations();
std::vector<Operation> variation_operations();
std::vector<Operation> wasserstein_loss_operations();
std::vector<Operation> descent_operations();
std::vector<Operation> lbfgs_operations();
std::vector<Operation> upsample_operations();
std::vector<Operation> axpby_operations();
std::vector<Operation> adam_operations();

namespace {

float rounded(float value, DataType storage) {
  switch (storage) {
    case DataType::bf16: return static_cast<float>(kernels::bfloat16(value));
    case DataType::fp16: return static_cast<float>(kernels::float16(value));
    default: return value;
  }
}

/// Uniform numbers of mean 0 and deviation 1.
std::vector<float> random(const Shape& shape, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  std::array<std::uint32_t, 4> bits{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 4 == 0) bits = kernels::philox4x32({static_cast<std::uint32_t>(i / 4)}, {seed, 0});
    values[i] = 1.7320508F * (2 * kernels::philox_uniform(bits[i % 4]) - 1);
  }
  return values;
}

template <class Change>
std::vector<float> changed(std::vector<float> values, Change change) {
  for (float& value : values) value = change(value);
  return values;
}

std::vector<float> symmetric_values(const Shape& square, std::uint32_t seed, float scale) {
  std::vector<float> values =
      changed(random(square, seed), [&](float value) { return scale * value; });
  const auto C = static_cast<std::size_t>(square.channels);
  for (std::size_t first = 0; first < values.size(); first += C * C) {
    for (std::size_t i = 0; i < C; ++i) {
      for (std::size_t j = 0; j < i; ++j) values[first + i * C + j] = values[first + j * C + i];
    }
  }
  return values;
}

}  // namespace

Workbench::Workbench(Backend& backend, DataType storage, std::int64_t offset)
    : backend_(backend), storage_(storage), offset_(offset) {}

Tensor Workbench::features(const Shape& shape, std::uint32_t seed) {
  return input(shape, backend_.activation_type(), changed(random(shape, seed), [&](float value) {
                 return value < 0 ? 0 : rounded(value, storage_);
               }));
}

Tensor Workbench::gradient(const Shape& shape, std::uint32_t seed, float scale) {
  return input(shape, backend_.activation_type(), changed(random(shape, seed), [&](float value) {
                 return rounded(scale * value, storage_);
               }));
}

Tensor Workbench::master(const Shape& shape, std::uint32_t seed, float scale, float mean) {
  return input(shape, backend_.master_type(),
               changed(random(shape, seed), [&](float value) { return scale * value + mean; }));
}

Tensor Workbench::symmetric(const Shape& square, std::uint32_t seed, float scale) {
  return input(square, backend_.master_type(), symmetric_values(square, seed, scale));
}

Tensor Workbench::style_matrix(const Shape& square, std::uint32_t seed, float scale) {
  return input(square, style_matrix_type(backend_.activation_type(), backend_.master_type()),
               changed(symmetric_values(square, seed, scale), [&](float value) {
                 return storage_ == DataType::bf16 ? rounded(value, storage_) : value;
               }));
}

Tensor Workbench::definite(const Shape& square, std::uint32_t seed) {
  const auto C = static_cast<std::size_t>(square.channels);
  std::vector<float> values =
      symmetric_values(square, seed, 0.5F / std::sqrt(static_cast<float>(C)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % (C * C) % (C + 1) == 0) values[i] += 2;
  }
  return input(square, backend_.master_type(), values);
}

Tensor Workbench::map_output(const Shape& shape) {
  return input(shape, backend_.activation_type(),
               std::vector<float>(static_cast<std::size_t>(shape.count()),
                                  std::numeric_limits<float>::quiet_NaN()));
}

Tensor Workbench::master_output(const Shape& shape) {
  return input(shape, backend_.master_type(),
               std::vector<float>(static_cast<std::size_t>(shape.count()),
                                  std::numeric_limits<float>::quiet_NaN()));
}

Tensor Workbench::style_matrix_output(const Shape& square) {
  return input(square, style_matrix_type(backend_.activation_type(), backend_.master_type()),
               std::vector<float>(static_cast<std::size_t>(square.count()),
                                  std::numeric_limits<float>::quiet_NaN()));
}

Tensor Workbench::gradient_output(const Shape& shape, const GradientEpilogue& epilogue,
                                  float scale) {
  return epilogue.accumulate ? gradient(shape, 7, scale) : map_output(shape);
}

Tensor Workbench::counter() {
  const Tensor tensor = allocate({}, DataType::i64);
  backend_.fill_zero(tensor);
  return tensor;
}

Tensor Workbench::words(const Shape& shape) {
  const Tensor tensor = allocate(shape, DataType::i64);
  backend_.fill_zero(tensor);
  return tensor;
}

Tensor Workbench::doubles(const Shape& shape) {
  const Tensor tensor = allocate(shape, DataType::f64);
  backend_.fill_zero(tensor);
  return tensor;
}

std::unique_ptr<Conv> Workbench::conv(std::int64_t in_channels, std::int64_t out_channels) {
  const auto deviation =
      static_cast<float>(std::sqrt(2.0 / (9.0 * static_cast<double>(in_channels))));
  const auto filters = changed(random({out_channels, 3, 3, in_channels}, 101),
                               [&](float value) { return rounded(deviation * value, storage_); });
  return backend_.make_conv(
      {in_channels, out_channels, filters, random({1, 1, 1, out_channels}, 102)});
}

std::vector<float> Workbench::read(const Tensor& tensor) const {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape.count()));
  backend_.read(values, tensor);
  return values;
}

Tensor Workbench::allocate(const Shape& shape, DataType type) {
  Tensor tensor{nullptr, shape, type};
  const std::size_t before = static_cast<std::size_t>(offset_) * size_of(type);
  memory_.push_back(backend_.allocate(before + tensor.bytes()));
  tensor.data = static_cast<char*>(memory_.back().get()) + before;
  return tensor;
}

Tensor Workbench::input(const Shape& shape, DataType type, const std::vector<float>& values) {
  const Tensor tensor = allocate(shape, type);
  backend_.write(tensor, values);
  return tensor;
}

ErrorLimit error_limit(Precision precision) {
  switch (precision) {
    case Precision::fp32: return {1e-6, 1e-5};
    case Precision::winograd: return {5e-6, 5e-5};
    case Precision::tf32: return {1e-3, 3e-2};
    case Precision::bf16:
    case Precision::fp16: return {1e-2, 5e-2};
  }
  fail(ErrorKind::internal, "unknown precision {}", static_cast<int>(precision));
}

std::string describe(const GradientEpilogue& epilogue) {
  if (epilogue.accumulate) return epilogue.relu_mask ? "added, masked" : "added";
  return epilogue.relu_mask ? "masked" : "written";
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> every;
    for (const auto& some : {conv_operations(),
                             first_conv_operations(),
                             replicate_border_operations(),
                             pool_operations(),
                             max_blur_operations(),
                             guide_operations(),
                             crop_operations(),
                             gram_operations(),
                             gram_loss_operations(),
                             first_conv_gram_loss_operations(),
                             style_loss_operations(),
                             style_backward_operations(),
                             style_first_conv_operations(),
                             channel_statistics_operations(),
                             wasserstein_loss_operations(),
                             content_loss_operations(),
                             normalize_gradient_operations(),
                             temporal_loss_operations(),
                             total_variation_operations(),
                             variation_operations(),
                             upsample_operations(),
                             colour_map_operations(),
                             axpby_operations(),
                             clamp_operations(),
                             adam_operations(),
                             descent_operations(),
                             lbfgs_operations()}) {
      every.insert(every.end(), some.begin(), some.end());
    }
    return every;
  }();
  return all;
}

}  // namespace impasto
