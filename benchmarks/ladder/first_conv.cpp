// SPDX-License-Identifier: MIT
#include "kernels/first_conv/first_conv.hpp"

#include "benchmarks/ladder/arrays.hpp"

// The point's map is y.
namespace impasto::bench::IMPASTO_DEVICE {
namespace {

constexpr std::array<float, 3> mean = {123.68F, 116.779F, 103.939F};

}  // namespace

std::vector<Contender> first_conv_forward_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    const auto image = uniform<float>(3 * size.batch * size.pixels(), 1, 0, 255);
    const auto filters = uniform<float>(27 * size.channels, 2, -0.3F, 0.3F);
    const auto biases = uniform<float>(size.channels, 3, -1, 1);
    const Array<float> pixels(runtime, image);
    const Array<float> weight(runtime, filters);
    const Array<float> bias(runtime, biases);
    const Array<T> y(runtime, size.count());
    const auto expected = std::make_shared<std::vector<double>>(size.count());
    kernels::reference::first_conv_forward(expected->data(), widened(image).data(),
                                           widened(filters).data(), widened(biases).data(),
                                           {mean[0], mean[1], mean[2]}, size, true);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::first_conv_forward_ladder()) {
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(y.data(), pixels.data(), weight.data(), bias.data(), mean, size, true,
            runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return compare(y.values(), *expected, rounding_limit<T>);
      };
      contenders.push_back({about, work::first_conv(size, point.type),
                            work::first_conv_forward_traffic(rung.name, size, point.type), launch,
                            verify});
    }
    return contenders;
  });
}

std::vector<Contender> first_conv_backward_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    const std::int64_t pixel_values = 3 * size.batch * size.pixels();
    const auto gradient = uniform<T>(size.count(), 1, -1, 1);
    const auto filters = uniform<float>(27 * size.channels, 2, -0.3F, 0.3F);
    const Array<T> grad_y(runtime, gradient);
    const Array<float> weight(runtime, filters);
    const Array<float> grad_pixels(runtime, pixel_values);
    const auto expected = std::make_shared<std::vector<double>>(pixel_values);
    kernels::reference::first_conv_backward(expected->data(), widened(gradient).data(),
                                            widened(filters).data(), size);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::first_conv_backward_ladder()) {
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(grad_pixels.data(), grad_y.data(), weight.data(), size, runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return compare(grad_pixels.values(), *expected, 2e-5);
      };
      contenders.push_back({about, work::first_conv(size, point.type),
                            work::first_conv_backward_traffic(rung.name, size, point.type), launch,
                            verify});
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
