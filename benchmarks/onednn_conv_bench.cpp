// SPDX-License-Identifier: MIT
// VGG-19's convolutions up to conv5_1, each on its own, at the sizes a square picture gives them:
//   forward/<precision>/<layer>/<size>        through the backend, with bias and ReLU
//   gradient/<precision>/<layer>/<size>       the data gradient through the backend
//   backward_data/<precision>/<layer>/<size>  oneDNN's own primitive for the data gradient
//   winograd/fp32/<layer>/<size>              oneDNN's Winograd transform, forward without bias
// The first two, summed, are what an iteration's convolutions cost: what everything else in the
// iteration is measured against. The last two are alternatives that Impasto does not use.
#include <algorithm>
#include <cmath>
#include <dnnl.hpp>

#include "benchmarks/inputs.hpp"
#include "benchmarks/program.hpp"
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

void add_through_backend(const std::shared_ptr<Backend>& backend, const Layer& layer,
                         const std::string& variant) {
  const DataType type = backend->activation_type();
  const work::Work work = work::conv(layer.x, layer.y, type);
  add("forward/" + variant, [=](benchmark::State& state) {
    const auto conv = backend->make_conv(he_parameters(layer.x.channels, layer.y.channels));
    const OwnedTensor x = features(*backend, layer.x);
    const OwnedTensor y(*backend, layer.y, type);
    measure(state, *backend, work, [&] { backend->conv_forward(y, x, *conv, true); });
  });
  add("gradient/" + variant, [=](benchmark::State& state) {
    const auto conv = backend->make_conv(he_parameters(layer.x.channels, layer.y.channels));
    const OwnedTensor grad_y = uniform(*backend, layer.y, type);
    // The pixels' gradient is float in every precision.
    const bool first = layer.x.channels == 3;
    const OwnedTensor grad_x(*backend, layer.x, first ? backend->master_type() : type);
    measure(state, *backend, work, [&] {
      if (first) {
        backend->first_conv_backward(grad_x, grad_y, *conv);
      } else {
        backend->conv_data_gradient(grad_x, grad_y, {}, *conv, {});
      }
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
    measure(state, *backend, work::conv(layer.x, layer.y, type),
            [&] { primitive.execute(onednn.stream, arguments); });
  });
}

/// A forward convolution in whatever layouts an algorithm likes best: activations are reordered
/// outside the time, as they would stay in such a layout from layer to layer.
class Forward {
 public:
  Forward(const cpu::OneDnn& onednn, const Layer& layer, dnnl::algorithm algorithm, const Tensor& x)
      : onednn_(onednn),
        chosen_({dnnl::prop_kind::forward_inference, algorithm, any(layer.x),
                 any_filters(layer, DataType::f32), any(layer.y), ones, ones, ones},
                onednn.engine),
        primitive_(chosen_),
        x_(reordered(onednn, memory(cpu::nhwc(x.shape, x.type), onednn.engine, x.data),
                     chosen_.src_desc())),
        y_(chosen_.dst_desc(), onednn.engine),
        filters_(filters_in(chosen_.weights_desc(), layer, onednn)) {}

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

/// Faster by fewer multiplications, which costs accuracy: the counter `error` is against the direct
/// algorithm.
void time_winograd(benchmark::State& state, Backend& backend, const Layer& layer) {
  const cpu::OneDnn onednn;
  const OwnedTensor x = features(backend, layer.x);
  const Forward winograd(onednn, layer, dnnl::algorithm::convolution_winograd, x);
  const Forward direct(onednn, layer, dnnl::algorithm::convolution_direct, x);
  measure(state, backend, work::conv(layer.x, layer.y, DataType::f32), [&] { winograd.run(); });
  direct.run();
  state.counters["error"] =
      largest_error(direct.output(layer.y), winograd.output(layer.y), layer.y.count());
}

void add_winograd(const std::shared_ptr<Backend>& backend, const Layer& layer,
                  const std::string& variant) {
  add("winograd/" + variant, [=](benchmark::State& state) {
    try {
      time_winograd(state, *backend, layer);
    } catch (const dnnl::error& error) {
      state.SkipWithError(error.what());
    }
  });
}

}  // namespace

void register_benchmarks(const Settings& settings) {
  Settings cpu = settings;
  cpu.backend = "cpu";
  for_each_precision(cpu, [&](const std::shared_ptr<Backend>& backend) {
    for (const Layer& layer : conv_layers(cpu.size)) {
      const std::string variant =
          fmt::format("{}/{}/{}", to_string(backend->precision()), layer.name, cpu.size);
      add_through_backend(backend, layer, variant);
      add_backward_data(backend, layer, variant);
      if (backend->precision() == Precision::fp32) add_winograd(backend, layer, variant);
    }
  });
}

}  // namespace impasto::bench
