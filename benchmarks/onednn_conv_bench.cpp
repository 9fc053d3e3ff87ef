// SPDX-License-Identifier: MIT
// VGG-19's convolutions up to conv5_1, each on its own, at the sizes a square picture gives them:
//   forward/<precision>/<layer>/<size>        through the backend, with bias and ReLU
//   gradient/<precision>/<layer>/<size>       the data gradient through the backend
//   backward_data/<precision>/<layer>/<size>  oneDNN's own primitive for the data gradient
//   winograd/fp32/<layer>/<size>              oneDNN's Winograd transform, forward without bias
// The first two, summed, are what an iteration's convolutions cost: what everything else in the
// iteration is measured against. The last two are alternatives that Impasto does not use.
// A few of each result's values are compared with sums in double.
#include <algorithm>
#include <cmath>
#include <dnnl.hpp>

#include "benchmarks/inputs.hpp"
#include "benchmarks/on_backends.hpp"
#include "host/backend/cpu/onednn.hpp"
#include "host/model/network.hpp"

namespace impasto::bench {
namespace {

using dnnl::memory;

struct Layer {
  std::string_view name;
  Shape x;
  Shape y;
};

std::vector<Layer> conv_layers(std::int64_t size) {
  const Network network(PoolKind{});
  const Shape pixels{1, size, size, 3};
  std::vector<Layer> layers;
  for (std::size_t i = 0; i <= vgg19_index("conv5_1"); ++i) {
    if (vgg19[i].kind == pool_kind) continue;
    layers.push_back({vgg19[i].name, i == 0 ? pixels : network.feature_shape(pixels, i - 1),
                      network.feature_shape(pixels, i)});
  }
  return layers;
}

/// Values of a tensor (N = 1,H,W,C) as they are, zero outside of it.
struct Map {
  Map(Backend& backend, const Tensor& tensor)
      : shape(tensor.shape), values(static_cast<std::size_t>(shape.count())) {
    backend.read(values, tensor);
  }
  [[nodiscard]] double at(std::int64_t h, std::int64_t w, std::int64_t c) const {
    if (h < 0 || w < 0 || h >= shape.height || w >= shape.width) return 0;
    return static_cast<double>(
        values[static_cast<std::size_t>((h * shape.width + w) * shape.channels + c)]);
  }
  Shape shape;
  std::vector<float> values;
};

enum class Way { forward, data_gradient };

/// One value of a convolution's output, or of the sum that is its data gradient.
double value_at(Way way, const Map& from, const ConvParameters& conv, std::int64_t h,
                std::int64_t w, std::int64_t channel) {
  const bool forward = way == Way::forward;
  double sum = forward ? static_cast<double>(conv.bias[static_cast<std::size_t>(channel)]) : 0.0;
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t s = 0; s < 3; ++s) {
      for (std::int64_t c = 0; c < from.shape.channels; ++c) {
        const std::int64_t out = forward ? channel : c;
        const std::int64_t in = forward ? c : channel;
        const auto weight =
            static_cast<std::size_t>(((out * 3 + r) * 3 + s) * conv.in_channels + in);
        const double value =
            forward ? from.at(h + r - 1, w + s - 1, c) : from.at(h + 1 - r, w + 1 - s, c);
        sum += value * static_cast<double>(conv.weight[weight]);
      }
    }
  }
  return forward ? std::max(sum, 0.0) : sum;
}

/// The largest difference of values all over `result`, the corners among them, over their RMS.
double sampled_error(Backend& backend, Way way, const Tensor& result, const Tensor& from,
                     const ConvParameters& conv) {
  const Map actual(backend, result);
  const Map input(backend, from);
  constexpr std::int64_t samples = 97;
  const Shape& shape = result.shape;
  double worst = 0;
  double squares = 0;
  for (std::int64_t i = 0; i <= samples; ++i) {
    const std::int64_t place = i * (shape.count() - 1) / samples;
    const std::int64_t channel = place % shape.channels;
    const std::int64_t h = place / shape.channels / shape.width;
    const std::int64_t w = place / shape.channels % shape.width;
    const double expected = value_at(way, input, conv, h, w, channel);
    const double difference = std::abs(actual.at(h, w, channel) - expected);
    worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
    squares += expected * expected;
  }
  return worst / std::sqrt(squares / static_cast<double>(samples + 1));
}

/// What rounding explains, of maps and parameters in that type.
double limit(DataType type) { return type == DataType::f32 ? 1e-4 : 5e-2; }

/// Times `run`, once `error()` is within its limit.
template <class Run, class Error>
void measure(benchmark::State& state, Backend& backend, const work::Work& work, double allowed,
             Run run, Error error) {
  run();  // what is made at the first call with a shape
  backend.synchronize();
  const double found = error();
  if (!(found <= allowed)) {
    state.SkipWithError(
        fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}", found, allowed).c_str());
    return;
  }
  for (auto _ : state) {
    run();
    backend.synchronize();
  }
  report(state, work);
  state.counters["error"] = found;
}

void add_through_backend(const SharedBackend& backend, const Layer& layer,
                         const std::string& variant) {
  const DataType type = backend->activation_type();
  const work::Work work = work::conv(layer.x, layer.y, type);
  add("forward/" + variant, [=](benchmark::State& state) {
    const ConvParameters parameters = he_parameters(layer.x.channels, layer.y.channels);
    const auto conv = backend->make_conv(parameters);
    const OwnedTensor x = features(*backend, layer.x);
    const OwnedTensor y(*backend, layer.y, type);
    measure(
        state, *backend, work, limit(type), [&] { backend->conv_forward(y, x, *conv, true); },
        [&] { return sampled_error(*backend, Way::forward, y, x, parameters); });
  });
  add("gradient/" + variant, [=](benchmark::State& state) {
    const ConvParameters parameters = he_parameters(layer.x.channels, layer.y.channels);
    const auto conv = backend->make_conv(parameters);
    const OwnedTensor grad_y = uniform(*backend, layer.y, type);
    // The pixels' gradient is float in every precision.
    const bool first = layer.x.channels == 3;
    const OwnedTensor grad_x(*backend, layer.x, first ? backend->master_type() : type);
    const auto run = [&] {
      if (first) {
        backend->first_conv_backward(grad_x, grad_y, *conv);
      } else {
        backend->conv_data_gradient(grad_x, grad_y, {}, *conv, {});
      }
    };
    measure(state, *backend, work, limit(type), run, [&] {
      return sampled_error(*backend, Way::data_gradient, grad_x, grad_y, parameters);
    });
  });
}

const memory::dims ones{1, 1};

memory::desc any_filters(const Layer& layer, DataType type) {
  return {
      {layer.y.channels, layer.x.channels, 3, 3}, cpu::onednn_type(type), memory::format_tag::any};
}

memory reordered(const cpu::OneDnn& onednn, memory from, const memory::desc& layout) {
  memory to(layout, onednn.engine);
  dnnl::stream stream = onednn.stream;
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

/// A convolution's filters in the layout of a primitive; Winograd's is made from oihw only.
memory filters_in(const memory::desc& layout, const Layer& layer, const cpu::OneDnn& onednn) {
  ConvParameters parameters = he_parameters(layer.x.channels, layer.y.channels);
  const memory::dims dims{layer.y.channels, layer.x.channels, 3, 3};
  const auto type = memory::data_type::f32;
  const memory ohwi({dims, type, memory::format_tag::ohwi}, onednn.engine,
                    parameters.weight.data());
  const memory oihw = reordered(onednn, ohwi, {dims, type, memory::format_tag::oihw});
  return reordered(onednn, oihw, layout);
}

void add_backward_data(const std::shared_ptr<Backend>& backend, const Layer& layer,
                       const std::string& variant) {
  const DataType type = backend->activation_type();
  add("backward_data/" + variant, [=](benchmark::State& state) {
    const cpu::OneDnn onednn;
    const memory::desc x = cpu::nhwc(layer.x, type);
    const memory::desc y = cpu::nhwc(layer.y, type);
    const memory::desc filters = any_filters(layer, type);
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc hint(
        {dnnl::prop_kind::forward_training, direct, x, filters, y, ones, ones, ones},
        onednn.engine);
    const dnnl::convolution_backward_data::primitive_desc chosen(
        {direct, x, filters, y, ones, ones, ones}, onednn.engine, hint);
    const dnnl::convolution_backward_data primitive(chosen);
    const OwnedTensor grad_y = uniform(*backend, layer.y, type);
    const OwnedTensor grad_x(*backend, layer.x, type);
    const std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_DIFF_DST, memory(y, onednn.engine, grad_y.tensor.data)},
        {DNNL_ARG_WEIGHTS, filters_in(chosen.weights_desc(), layer, onednn)},
        {DNNL_ARG_DIFF_SRC, memory(x, onednn.engine, grad_x.tensor.data)}};
    const ConvParameters parameters = he_parameters(layer.x.channels, layer.y.channels);
    const auto run = [&] { primitive.execute(onednn.stream, arguments); };
    measure(state, *backend, work::conv(layer.x, layer.y, type), limit(type), run, [&] {
      return sampled_error(*backend, Way::data_gradient, grad_x, grad_y, parameters);
    });
  });
}

/// A forward convolution in whatever layouts an algorithm likes best: activations are reordered
/// outside the time, as they would stay in such a layout from layer to layer.
class Forward {
 public:
  Forward(const cpu::OneDnn& onednn, const Layer& layer, dnnl::algorithm algorithm, const Tensor& x)
      : onednn_(onednn),
        chosen_(describe(onednn, layer, algorithm)),
        primitive_(chosen_),
        x_(reordered(onednn, memory(cpu::nhwc(x.shape, x.type), onednn.engine, x.data),
                     chosen_.src_desc())),
        y_(chosen_.dst_desc(), onednn.engine),
        filters_(filters_in(chosen_.weights_desc(), layer, onednn)) {}

  /// Throws dnnl::error where there is no such algorithm.
  static dnnl::convolution_forward::primitive_desc describe(const cpu::OneDnn& onednn,
                                                            const Layer& layer,
                                                            dnnl::algorithm algorithm) {
    return {{dnnl::prop_kind::forward_inference, algorithm, any(layer.x),
             any_filters(layer, DataType::f32), any(layer.y), ones, ones, ones},
            onednn.engine};
  }

  void run() const {
    primitive_.execute(onednn_.stream,
                       {{DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, filters_}, {DNNL_ARG_DST, y_}});
  }
  /// The output, NHWC.
  [[nodiscard]] memory output(const Shape& shape) const {
    return reordered(onednn_, y_, cpu::nhwc(shape, DataType::f32));
  }

 private:
  static memory::desc any(const Shape& shape) {
    return {{shape.batch, shape.channels, shape.height, shape.width},
            memory::data_type::f32,
            memory::format_tag::any};
  }

  const cpu::OneDnn& onednn_;
  dnnl::convolution_forward::primitive_desc chosen_;
  dnnl::convolution_forward primitive_;
  memory x_;
  memory y_;
  memory filters_;
};

/// The largest difference between `count` values, relative to the largest of the first.
double largest_error(const memory& exact, const memory& other, std::int64_t count) {
  const auto* a = static_cast<const float*>(exact.get_data_handle());
  const auto* b = static_cast<const float*>(other.get_data_handle());
  float largest = 0;
  float error = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(a[i]));
    error = std::max(error, std::abs(a[i] - b[i]));
  }
  return static_cast<double>(error / largest);
}

/// Whether oneDNN has the algorithm for the layer on this processor.
bool has_winograd(const Layer& layer) {
  try {
    const cpu::OneDnn onednn;
    static_cast<void>(Forward::describe(onednn, layer, dnnl::algorithm::convolution_winograd));
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

/// Faster by fewer multiplications, which costs accuracy: the counter `error` is against the direct
/// algorithm.
void add_winograd(const SharedBackend& backend, const Layer& layer, const std::string& variant) {
  if (!has_winograd(layer)) return;
  add("winograd/" + variant, [=](benchmark::State& state) {
    const cpu::OneDnn onednn;
    const OwnedTensor x = features(*backend, layer.x);
    const Forward winograd(onednn, layer, dnnl::algorithm::convolution_winograd, x);
    const Forward direct(onednn, layer, dnnl::algorithm::convolution_direct, x);
    const auto error = [&] {
      direct.run();
      return largest_error(direct.output(layer.y), winograd.output(layer.y), layer.y.count());
    };
    constexpr double of_winograd = 1e-2;
    measure(
        state, *backend, work::conv(layer.x, layer.y, DataType::f32), of_winograd,
        [&] { winograd.run(); }, error);
  });
}

struct Axes {
  std::vector<std::int64_t> sizes = {256};
  BackendAxes backends{.names = {"cpu"}};

  void register_rows() const {
    for (const SharedBackend& backend : backends.open()) {
      for (const std::int64_t size : sizes) {
        for (const Layer& layer : conv_layers(size)) {
          const std::string variant =
              fmt::format("{}/{}/{}", to_string(backend->precision()), layer.name, size);
          add_through_backend(backend, layer, variant);
          add_backward_data(backend, layer, variant);
          if (backend->precision() == Precision::fp32) add_winograd(backend, layer, variant);
        }
      }
    }
  }
};

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  Axes axes;
  return run_program(
      argc, argv,
      {.about = "VGG-19's convolutions on the CPU, each alone, and oneDNN's other ways to do them.",
       .options = {number_axis("--size", "sides of the square pictures (256)", 16, axes.sizes),
                   precision_axis("--dtype", "precisions (all that the CPU offers)",
                                  axes.backends.precisions)},
       .register_rows = [&] { axes.register_rows(); }});
}
