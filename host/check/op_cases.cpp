// SPDX-License-Identifier: MIT
#include "host/check/op_cases.hpp"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/philox.hpp"

namespace impasto {
namespace {

/// The tensors of one case on one backend.
class Workbench {
 public:
  Workbench(Backend& backend, DataType storage) : backend_(backend), storage_(storage) {}

  /// About half of the values are 0, as behind a ReLU, when `rectified`; the others have
  /// deviation 1.
  Tensor features(const Shape& shape, std::uint32_t seed, bool rectified) {
    return input(shape, backend_.activation_type(), random(shape, seed, rectified, storage_));
  }
  Tensor master(const Shape& shape, std::uint32_t seed, float scale = 1, float offset = 0) {
    std::vector<float> values = random(shape, seed, false, DataType::f32);
    for (float& value : values) value = value * scale + offset;
    return input(shape, backend_.master_type(), values);
  }
  /// As gram_loss gives it: G is symmetric, and so is what follows from it.
  Tensor symmetric_matrix(const Shape& square, std::uint32_t seed) {
    std::vector<float> values = random(square, seed, false, DataType::f32);
    const auto C = static_cast<std::size_t>(square.channels);
    for (std::size_t first = 0; first < values.size(); first += C * C) {
      for (std::size_t i = 0; i < C; ++i) {
        for (std::size_t j = 0; j < i; ++j) values[first + i * C + j] = values[first + j * C + i];
      }
    }
    return input(square, backend_.master_type(), values);
  }
  Tensor features_output(const Shape& shape) {
    return unwritten(shape, backend_.activation_type());
  }
  Tensor master_output(const Shape& shape) { return unwritten(shape, backend_.master_type()); }
  Tensor counter() {
    const Tensor tensor = allocate({}, DataType::i64);
    backend_.fill_zero(tensor);
    return tensor;
  }
  std::unique_ptr<Conv> conv(std::int64_t in_channels, std::int64_t out_channels) {
    const Shape weight{out_channels, 3, 3, in_channels};
    ConvParameters parameters{in_channels, out_channels, random(weight, 101, false, storage_),
                              random({1, 1, 1, out_channels}, 102, false, DataType::f32)};
    return backend_.make_conv(parameters);
  }

  std::vector<float> read(std::initializer_list<Tensor> outputs) {
    std::vector<float> all;
    for (const Tensor& tensor : outputs) {
      std::vector<float> values(static_cast<std::size_t>(tensor.shape.count()));
      backend_.read(values, tensor);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

 private:
  static float rounded(float value, DataType storage) {
    switch (storage) {
      case DataType::bf16: return static_cast<float>(kernels::bfloat16(value));
      case DataType::fp16: return static_cast<float>(kernels::float16(value));
      default: return value;
    }
  }
  static std::vector<float> random(const Shape& shape, std::uint32_t seed, bool rectified,
                                   DataType storage) {
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto bits = kernels::philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, {seed, 0});
      const float uniform = 2 * kernels::philox_uniform(bits[0]) - 1;
      float value = 1.7320508F * uniform;
      if (rectified && value < 0) value = 0;
      values[i] = rounded(value, storage);
    }
    return values;
  }
  Tensor allocate(const Shape& shape, DataType type) {
    Tensor tensor{nullptr, shape, type};
    memory_.push_back(backend_.allocate(tensor.bytes()));
    tensor.data = memory_.back().get();
    return tensor;
  }
  Tensor input(const Shape& shape, DataType type, const std::vector<float>& values) {
    const Tensor tensor = allocate(shape, type);
    backend_.write(tensor, values);
    return tensor;
  }
  Tensor unwritten(const Shape& shape, DataType type) {
    return input(shape, type,
                 std::vector<float>(static_cast<std::size_t>(shape.count()),
                                    std::numeric_limits<float>::quiet_NaN()));
  }

  Backend& backend_;
  DataType storage_;
  std::vector<Buffer> memory_;
};

/// The gradient an operation writes to: unwritten, or holding something when it accumulates.
Tensor gradient(Workbench& bench, const Shape& shape, const GradientEpilogue& epilogue) {
  return epilogue.accumulate ? bench.features(shape, 7, false) : bench.features_output(shape);
}

std::string describe(const GradientEpilogue& epilogue) {
  return std::string(epilogue.accumulate ? ", added" : "") + (epilogue.relu_mask ? ", masked" : "");
}

constexpr std::array<GradientEpilogue, 4> epilogues = {
    {{false, false}, {false, true}, {true, false}, {true, true}}};

/// Collects cases of one size.
class Cases {
 public:
  Cases(const Shape& map, std::int64_t out_channels, DataType storage)
      : map_(map), wide_(map), storage_(storage) {
    wide_.channels = out_channels;
  }

  template <class Body>
  void add(std::string op, const Shape& size, const std::string& variant, Body body) {
    list_.push_back(
        {std::move(op), to_string(size) + variant, [body, storage = storage_](Backend& backend) {
           Workbench bench(backend, storage);
           return body(backend, bench);
         }});
  }

  void convolutions();
  void pools();
  void style();
  void content();
  void pixels();

  std::vector<OpCase> take() { return std::move(list_); }

 private:
  Shape map_;
  Shape wide_;
  DataType storage_;
  std::vector<OpCase> list_;
};

void Cases::convolutions() {
  const Shape x_shape = map_;
  const Shape y_shape = wide_;
  for (const bool relu : {true, false}) {
    add("conv", x_shape, fmt::format(" to {}{}", y_shape.channels, relu ? ", ReLU" : ", linear"),
        [=](Backend& backend, Workbench& bench) {
          const auto conv = bench.conv(x_shape.channels, y_shape.channels);
          const Tensor y = bench.features_output(y_shape);
          backend.conv_forward(y, bench.features(x_shape, 1, true), *conv, relu);
          return bench.read({y});
        });
  }
  for (const GradientEpilogue& epilogue : epilogues) {
    add("conv", x_shape,
        fmt::format(" from {}, data gradient{}", y_shape.channels, describe(epilogue)),
        [=](Backend& backend, Workbench& bench) {
          const auto conv = bench.conv(x_shape.channels, y_shape.channels);
          const Tensor grad_x = gradient(bench, x_shape, epilogue);
          backend.conv_data_gradient(grad_x, bench.features(y_shape, 2, false),
                                     bench.features(x_shape, 1, true), *conv, epilogue);
          return bench.read({grad_x});
        });
  }
  Shape pixels = map_;
  pixels.channels = 3;
  add("first_conv", pixels, fmt::format(" to {}", y_shape.channels),
      [=](Backend& backend, Workbench& bench) {
        const auto conv = bench.conv(3, y_shape.channels);
        const Tensor y = bench.features_output(y_shape);
        backend.first_conv_forward(y, bench.master(pixels, 3, 60, 120), *conv, {124, 117, 104},
                                   true);
        return bench.read({y});
      });
  add("first_conv", pixels, fmt::format(" from {}, data gradient", y_shape.channels),
      [=](Backend& backend, Workbench& bench) {
        const auto conv = bench.conv(3, y_shape.channels);
        const Tensor grad = bench.master_output(pixels);
        backend.first_conv_backward(grad, bench.features(y_shape, 2, false), *conv);
        return bench.read({grad});
      });
}

void Cases::pools() {
  const Shape x_shape = map_;
  for (const auto mode : {kernels::PoolMode::average, kernels::PoolMode::max}) {
    for (const auto rounding : {kernels::PoolRounding::up, kernels::PoolRounding::down}) {
      const PoolKind kind{mode, rounding};
      const Shape y_shape = kernels::pooled(x_shape, rounding);
      if (y_shape.pixels() == 0) continue;
      const std::string variant =
          fmt::format(", {}, {}", mode == kernels::PoolMode::average ? "average" : "max",
                      rounding == kernels::PoolRounding::up ? "up" : "down");
      add("pool", x_shape, variant, [=](Backend& backend, Workbench& bench) {
        const Tensor y = bench.features_output(y_shape);
        backend.pool_forward(y, bench.features(x_shape, 1, true), kind);
        return bench.read({y});
      });
      for (const GradientEpilogue& epilogue : epilogues) {
        add("pool", x_shape, variant + ", backward" + describe(epilogue),
            [=](Backend& backend, Workbench& bench) {
              const Tensor grad_x = gradient(bench, x_shape, epilogue);
              backend.pool_backward(grad_x, bench.features(y_shape, 2, false),
                                    bench.features(x_shape, 1, true), kind, epilogue);
              return bench.read({grad_x});
            });
      }
    }
  }
}

void Cases::style() {
  const Shape map = map_;
  const Shape square = matrix_shape(map.batch, map.channels);
  const Shape target = matrix_shape(1, map.channels);
  add("gram", map, "", [=](Backend& backend, Workbench& bench) {
    const Tensor gram = bench.master_output(square);
    backend.gram(gram, bench.features(map, 1, true));
    return bench.read({gram});
  });
  for (const bool matrix_too : {false, true}) {
    add("gram_loss", map, matrix_too ? ", matrix" : ", loss",
        [=](Backend& backend, Workbench& bench) {
          const Tensor loss = bench.master_output({1, 1, 1, map.batch});
          const Tensor matrix = bench.master_output(square);
          backend.gram_loss(loss, matrix, bench.features(map, 1, true),
                            bench.symmetric_matrix(target, 5),
                            {.gram = 0.5, .loss = 0.25, .gradient = 0.125});
          return bench.read({matrix_too ? matrix : loss});
        });
  }
  for (const bool in_place : {false, true}) {
    add("style_loss", square, in_place ? ", in place" : "",
        [=](Backend& backend, Workbench& bench) {
          const Tensor loss = bench.master_output({1, 1, 1, map.batch});
          const Tensor gram = bench.symmetric_matrix(square, 8);
          const Tensor matrix = in_place ? gram : bench.master_output(square);
          backend.style_loss(loss, matrix, gram, bench.symmetric_matrix(target, 5),
                             {.gram = 0.5, .loss = 0.25, .gradient = 0.125});
          return bench.read({loss, matrix});
        });
  }
  for (const GradientEpilogue& epilogue : epilogues) {
    add("style_backward", map, describe(epilogue), [=](Backend& backend, Workbench& bench) {
      const Tensor grad = gradient(bench, map, epilogue);
      backend.style_backward(grad, bench.features(map, 1, true), bench.symmetric_matrix(square, 4),
                             epilogue);
      return bench.read({grad});
    });
  }
}

void Cases::content() {
  const Shape map = map_;
  const Shape target = {1, map.height, map.width, map.channels};
  add("content_loss", target, ", loss", [=](Backend& backend, Workbench& bench) {
    const Tensor loss = bench.master_output({});
    backend.content_loss(loss, {}, bench.features(target, 1, true), bench.features(target, 6, true),
                         {.loss = 0.25, .gradient = 0.5}, {});
    return bench.read({loss});
  });
  for (const GradientEpilogue& epilogue : epilogues) {
    add("content_loss", map, ", gradient" + describe(epilogue),
        [=](Backend& backend, Workbench& bench) {
          const Tensor loss = bench.master_output({1, 1, 1, map.batch});
          const Tensor grad = gradient(bench, map, epilogue);
          backend.content_loss(loss, grad, bench.features(map, 1, true),
                               bench.features(map, 6, true), {.loss = 0.25, .gradient = 0.5},
                               epilogue);
          return bench.read({grad});
        });
  }
}

void Cases::pixels() {
  Shape shape = map_;
  shape.channels = 3;
  for (const bool gradient_too : {false, true}) {
    add("total_variation", shape, gradient_too ? ", gradient" : ", loss",
        [=](Backend& backend, Workbench& bench) {
          const Tensor loss = bench.master_output({1, 1, 1, shape.batch});
          const Tensor grad = gradient_too ? bench.master(shape, 8) : Tensor{};
          backend.total_variation(loss, grad, bench.master(shape, 3, 60, 120),
                                  {.loss = 0.5, .gradient = 0.25});
          return bench.read({gradient_too ? grad : loss});
        });
  }
  for (const double b : {0.0, 1.0}) {
    add("axpby", shape, b == 0 ? "" : ", added", [=](Backend& backend, Workbench& bench) {
      const Tensor y = b == 0 ? bench.master_output(shape) : bench.master(shape, 12);
      backend.axpby(y, 0.7, bench.master(shape, 13), b);
      return bench.read({y});
    });
  }
  for (const auto form : {kernels::AdamEpsilon::pytorch, kernels::AdamEpsilon::tensorflow}) {
    add("adam", shape, form == kernels::AdamEpsilon::pytorch ? ", PyTorch's ε" : ", TensorFlow's ε",
        [=](Backend& backend, Workbench& bench) {
          const Tensor pixels = bench.master(shape, 3, 60, 120);
          const Tensor m = bench.master(shape, 9, 0);
          const Tensor v = bench.master(shape, 9, 0);
          const Tensor step = bench.counter();
          const AdamOptions options{
              .learning_rate = 2, .epsilon = 0.1, .form = form, .lowest = 0, .highest = 255};
          for (std::uint32_t seed = 11; seed < 14; ++seed) {
            backend.adam(pixels, m, v, step, bench.master(shape, seed), options);
          }
          return bench.read({pixels, m, v});
        });
  }
}

}  // namespace

std::vector<OpCase> op_cases(const Shape& map, std::int64_t out_channels, DataType storage) {
  Cases cases(map, out_channels, storage);
  cases.convolutions();
  cases.pools();
  cases.style();
  cases.content();
  cases.pixels();
  return cases.take();
}

}  // namespace impasto
