// SPDX-License-Identifier: MIT
// Small integers make every sum exact in float, whatever its order: then the CPU backend must equal
// the reference, not approximate it.
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "kernels/common/philox.hpp"

namespace impasto::onednn_test {
namespace {

std::vector<float> integers(std::int64_t count, std::uint32_t seed, int lowest, int highest) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = kernels::philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, {seed, 1});
    const auto range = static_cast<std::uint32_t>(highest - lowest + 1);
    values[i] = static_cast<float>(lowest + static_cast<int>(bits[0] % range));
  }
  return values;
}

struct OnDevice {
  OnDevice(Backend& backend, const Shape& shape, DataType type, const std::vector<float>& values)
      : tensor{nullptr, shape, type} {
    memory = backend.allocate(tensor.bytes());
    tensor.data = memory.get();
    backend.write(tensor, values);
  }
  std::vector<float> read(Backend& backend) const {
    std::vector<float> values(static_cast<std::size_t>(tensor.shape.count()));
    backend.read(values, tensor);
    return values;
  }
  Buffer memory;
  Tensor tensor;
};

template <class Run>
void expect_equal_on_both(Run run) {
  const auto cpu = make_backend("cpu", Precision::fp32);
  const auto reference = make_backend("reference");
  EXPECT_EQ(run(*cpu), run(*reference));
}

const std::vector<Shape> maps = {{1, 1, 1, 1}, {1, 3, 7, 3}, {2, 11, 13, 17}, {1, 70, 71, 64}};

TEST(OneDnn, ConvolutionOfIntegersIsExact) {
  for (const Shape& map : maps) {
    SCOPED_TRACE(to_string(map));
    expect_equal_on_both([&](Backend& backend) {
      const Shape out{map.batch, map.height, map.width, 33};
      const auto conv = backend.make_conv(
          {map.channels, 33, integers(33 * 9 * map.channels, 1, -3, 3), integers(33, 2, -9, 9)});
      const OnDevice x(backend, map, backend.activation_type(), integers(map.count(), 3, 0, 4));
      const OnDevice y(backend, out, backend.activation_type(), integers(out.count(), 4, 0, 0));
      backend.conv_forward(y.tensor, x.tensor, *conv, true);
      return y.read(backend);
    });
  }
}

TEST(OneDnn, DataGradientOfIntegersIsExact) {
  for (const Shape& map : maps) {
    SCOPED_TRACE(to_string(map));
    expect_equal_on_both([&](Backend& backend) {
      const Shape out{map.batch, map.height, map.width, 33};
      const auto conv = backend.make_conv(
          {map.channels, 33, integers(33 * 9 * map.channels, 1, -3, 3), integers(33, 2, -9, 9)});
      const OnDevice x(backend, map, backend.activation_type(), integers(map.count(), 3, 0, 2));
      const OnDevice grad_x(backend, map, backend.activation_type(),
                            integers(map.count(), 5, -4, 4));
      const OnDevice grad_y(backend, out, backend.activation_type(),
                            integers(out.count(), 4, -4, 4));
      backend.conv_data_gradient(grad_x.tensor, grad_y.tensor, x.tensor, *conv, {true, true});
      return grad_x.read(backend);
    });
  }
}

TEST(OneDnn, GramMatrixOfIntegersIsExactAndSymmetric) {
  for (const Shape& map : maps) {
    SCOPED_TRACE(to_string(map));
    expect_equal_on_both([&](Backend& backend) {
      const Shape square = matrix_shape(map.batch, map.channels);
      const OnDevice f(backend, map, backend.activation_type(), integers(map.count(), 3, 0, 4));
      const OnDevice gram(backend, square, backend.master_type(),
                          integers(square.count(), 4, 0, 0));
      backend.gram(gram.tensor, f.tensor);
      const std::vector<float> values = gram.read(backend);
      for (std::int64_t i = 0; i < map.channels; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
          EXPECT_EQ(values[static_cast<std::size_t>(i * map.channels + j)],
                    values[static_cast<std::size_t>(j * map.channels + i)]);
        }
      }
      return values;
    });
  }
}

TEST(OneDnn, StyleBackwardOfIntegersIsExact) {
  for (const Shape& map : maps) {
    SCOPED_TRACE(to_string(map));
    expect_equal_on_both([&](Backend& backend) {
      const Shape square = matrix_shape(map.batch, map.channels);
      const OnDevice f(backend, map, backend.activation_type(), integers(map.count(), 3, 0, 3));
      const OnDevice grad(backend, map, backend.activation_type(), integers(map.count(), 5, -4, 4));
      const OnDevice m(backend, square, backend.master_type(), integers(square.count(), 4, -4, 4));
      backend.style_backward(grad.tensor, f.tensor, m.tensor, {true, true});
      return grad.read(backend);
    });
  }
}

TEST(OneDnn, AConvolutionServesManySizesAlternately) {
  const auto cpu = make_backend("cpu", Precision::fp32);
  const auto conv =
      cpu->make_conv({64, 64, integers(64 * 9 * 64, 1, -3, 3), integers(64, 2, -9, 9)});
  const auto run = [&](std::int64_t side) {
    const Shape map{1, side, side + 1, 64};
    const OnDevice x(*cpu, map, DataType::f32, integers(map.count(), 3, 0, 4));
    const OnDevice y(*cpu, map, DataType::f32, integers(map.count(), 4, 0, 0));
    cpu->conv_forward(y.tensor, x.tensor, *conv, true);
    return y.read(*cpu);
  };
  const std::vector<float> small = run(4);
  const std::vector<float> large = run(40);
  EXPECT_EQ(small, run(4));
  EXPECT_EQ(large, run(40));
}

}  // namespace
}  // namespace impasto::onednn_test
