// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto::work {

/// The least that an operation must do in any implementation: floating-point operations, a
/// multiply-add being two, and bytes that it reads and writes once each. Rates measured against it
/// can be compared between implementations and with the machine's peak. Each operation's formula is
/// in host/check/<op>.cpp, and in words in its contract, kernels/<op>/<op>.hpp.
struct Work {
  double flops = 0;
  double bytes = 0;

  Work& operator+=(const Work& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

inline double values(const Shape& shape) { return static_cast<double>(shape.count()); }
inline double width(DataType type) {
  return type == DataType::f64 || type == DataType::i64 ? 8 : type == DataType::f32 ? 4 : 2;
}
inline double bytes(const Shape& shape, DataType type) { return width(type) * values(shape); }

/// The values of a C×C matrix for each image.
inline double matrices(const Shape& features) {
  return static_cast<double>(features.batch * features.channels * features.channels);
}

}  // namespace impasto::work

namespace impasto {

/// The arrays of one case on one backend. Inputs are drawn from a seed and rounded to `storage`,
/// the type in which the backend under test stores feature maps: the reference gets the very same
/// numbers. They are ordinary ones: zeros, denormals and NaN have speeds of their own. Outputs
/// begin as NaN, so that a value left unwritten shows.
class Workbench {
 public:
  /// Arrays begin `offset` elements behind an address that suits every vector.
  Workbench(Backend& backend, DataType storage, std::int64_t offset = 0);

  /// A feature map as a ReLU leaves it: half of it is 0, the rest of deviation 1 before.
  Tensor features(const Shape& shape, std::uint32_t seed);
  /// A gradient of a feature map, of deviation `scale`.
  Tensor gradient(const Shape& shape, std::uint32_t seed, float scale = 1);
  /// Pixels, a moment, a matrix: of deviation `scale` about `mean`.
  Tensor master(const Shape& shape, std::uint32_t seed, float scale = 1, float mean = 0);
  /// A symmetric matrix like a Gram matrix.
  Tensor symmetric(const Shape& square, std::uint32_t seed, float scale = 1);
  /// The same in the type that gram_loss leaves M in.
  Tensor style_matrix(const Shape& square, std::uint32_t seed, float scale = 1);
  /// A symmetric matrix like a covariance, with eigenvalues from about 1 to 3.
  Tensor definite(const Shape& square, std::uint32_t seed);
  Tensor map_output(const Shape& shape);
  Tensor master_output(const Shape& shape);
  Tensor style_matrix_output(const Shape& square);
  /// What an operation writes a feature map's gradient to: it holds one when it accumulates.
  Tensor gradient_output(const Shape& shape, const GradientEpilogue& epilogue, float scale = 1);
  /// One i64 that is 0.
  Tensor counter();
  /// Words of 64 bits that are 0.
  Tensor words(const Shape& shape);
  /// Doubles that are 0, on any backend.
  Tensor doubles(const Shape& shape);
  /// Filters and biases with He's deviation, which keeps the scale from layer to layer.
  std::unique_ptr<Conv> conv(std::int64_t in_channels, std::int64_t out_channels);

  [[nodiscard]] std::vector<float> read(const Tensor& tensor) const;

 private:
  Tensor allocate(const Shape& shape, DataType type);
  Tensor input(const Shape& shape, DataType type, const std::vector<float>& values);

  Backend& backend_;
  DataType storage_;
  std::int64_t offset_;
  std::vector<Buffer> memory_;
};

/// What runs a case once, and its tensors in the order of the backend's function, outputs first. The
/// rest is all that it reads, but for what it has of its own between runs.
struct Prepared {
  std::function<void()> run;
  std::vector<Tensor> tensors;
  std::size_t outputs = 1;
};

/// The largest differences from the reference that are no mistake, in units of the root mean square
/// of what is expected.
struct ErrorLimit {
  double rms = 0;    ///< the root mean square of all differences
  double worst = 0;  ///< the largest difference
};
/// What a case is held to unless it has a limit of its own: 1e-6 and 1e-5 in fp32, 5e-6 and 5e-5 in
/// winograd, 1e-3 and 3e-2 in tf32, 1e-2 and 5e-2 in bf16 and fp16.
ErrorLimit error_limit(Precision precision);

/// One operation in one variant at one shape, as tests, `impasto check` and benchmarks use it.
struct OpCase {
  std::string variant = {};  ///< "max, up, masked"
  /// How an iteration calls it: benchmarks measure this one, under the name of the operation and
  /// what `row` adds to it. Others are only checked.
  bool measured = false;
  std::string row = {};  ///< "_max"
  /// How it joins its gradient to others and how it pools, if it does, as a schedule's step says it.
  std::optional<GradientEpilogue> epilogue = {};
  std::optional<PoolKind> pool = {};
  work::Work work = {};
  std::function<ErrorLimit(Precision)> limit = error_limit;
  int runs = 1;  ///< how often a check runs it; state carries over
  std::function<Prepared(Backend& on, Workbench& bench)> prepare = {};
};

/// An operation of `Backend`, one file of host/check/ for each stem.
struct Operation {
  std::string_view name = {};                 ///< the backend's function
  std::vector<std::string_view> layers = {};  ///< where VGG-19 uses it, or {"pixels"}
  bool on_pixels = false;  ///< its map has three channels, whatever the precision of others
  bool widens = false;     ///< a convolution: from `map` to a map of `out_channels`
  std::vector<OpCase> (*cases)(const Shape& map, std::int64_t out_channels, DataType storage) = {};
};

/// Every operation.
const std::vector<Operation>& operations();

/// The layers that style losses stand at.
inline std::vector<std::string_view> style_loss_layers() {
  return {"conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"};
}

/// The shape of a map with other channels.
inline Shape with_channels(Shape map, std::int64_t channels) {
  map.channels = channels;
  return map;
}

/// Every way in which an operation may join a gradient to others, and its name: "added, masked".
inline constexpr std::array<GradientEpilogue, 4> epilogues = {
    {{false, false}, {false, true}, {true, false}, {true, true}}};
std::string describe(const GradientEpilogue& epilogue);
/// The maps that joining reads: the gradient it adds to, the features it masks by.
inline double maps_read(const GradientEpilogue& epilogue) {
  return (epilogue.accumulate ? 1 : 0) + (epilogue.relu_mask ? 1 : 0);
}

}  // namespace impasto
