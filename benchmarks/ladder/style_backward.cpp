// SPDX-License-Identifier: MIT
#include "kernels/style_backward/style_backward.hpp"

#include "benchmarks/ladder/arrays.hpp"
#include "benchmarks/ladder/libraries.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

/// Tensor cores round M to T; in 16 bits the gradient is rounded besides.
template <class T>
double limit(const kernels::Rung& rung) {
  if (rung.arithmetic == kernels::Arithmetic::fp32) return 5 * rounding_limit<T>;
  return std::is_same_v<T, kernels::bfloat16> ? 2e-1 : 2.5e-2;
}

/// Small, so that a gradient to which F·M is added over and over stays an ordinary number.
std::vector<float> symmetric_matrix(const kernels::MapSize& size) {
  const std::int64_t C = size.channels;
  std::vector<float> matrix = uniform<float>(size.batch * C * C, 3, -1e-3F, 1e-3F);
  for (std::int64_t n = 0; n < size.batch; ++n) {
    float* image = matrix.data() + n * C * C;
    for (std::int64_t i = 0; i < C; ++i) {
      for (std::int64_t j = 0; j < i; ++j) image[i * C + j] = image[j * C + i];
    }
  }
  return matrix;
}

}  // namespace

/// Joined to the gradient from above and masked, as below every style layer but the deepest.
std::vector<Contender> style_backward_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    constexpr kernels::GradientEpilogue epilogue{true, true};
    const auto values = features<T>(size.count(), 1);
    const auto held = uniform<T>(size.count(), 2, -0.01F, 0.01F);
    const auto coefficients = symmetric_matrix(size);
    const Array<T> map(runtime, values);
    const Array<float> matrix(runtime, coefficients);
    Array<T> grad(runtime, held);
    const Array<float> workspace(runtime, kernels::IMPASTO_DEVICE::style_backward_workspace(size));
    const auto expected = std::make_shared<std::vector<double>>(widened(held));
    kernels::reference::style_backward(expected->data(), widened(values).data(),
                                       widened(coefficients).data(), size, epilogue);

    std::vector<Contender> contenders;
    const auto add = [&](const kernels::Rung& about, const work::Traffic& traffic,
                         const std::function<void()>& launch) {
      const auto verify = [=]() mutable {
        grad.write(held);
        launch();
        return compare(grad.values(), *expected, limit<T>(about));
      };
      contenders.push_back(
          {about, work::style_backward(size, point.type, epilogue), traffic, launch, verify});
    };
    const Tensor result{grad.data(), size, point.type};
    for (const auto& library : style_backward_libraries(
             runtime, result, {map.data(), size, point.type},
             {matrix.data(), matrix_shape(size.batch, size.channels), DataType::f32}, epilogue)) {
      add(library.rung, {}, [launch = library.launch, grad, map, matrix] { launch(); });
    }
    for (const auto& rung : kernels::IMPASTO_DEVICE::style_backward_ladder()) {
      if (!kernels::offers<T>(rung.launch)) continue;
      const auto run = rung.launch.template get<T>();
      add(rung, work::style_backward_traffic(rung.name, size, point.type, epilogue), [=, &runtime] {
        run(grad.data(), map.data(), matrix.data(), size, epilogue, workspace.data(),
            runtime.stream());
      });
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
