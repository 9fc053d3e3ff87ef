// SPDX-License-Identifier: MIT
#include "host/backend/cpu/conv.hpp"

#include <algorithm>
#include <utility>

#include "host/backend/cpu/dispatch.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cpu {
namespace {

using dnnl::memory;

memory::desc plain_layout(std::int64_t out_channels, std::int64_t in_channels) {
  return {{out_channels, in_channels, 3, 3}, memory::data_type::f32, memory::format_tag::ohwi};
}

memory reordered(const OneDnn& onednn, memory from, const memory::desc& layout) {
  memory to(layout, onednn.engine);
  dnnl::stream stream = onednn.stream;
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

}  // namespace

FilterBank::FilterBank(const OneDnn& onednn, const ConvParameters& parameters)
    : FilterBank(onednn, memory(plain_layout(parameters.out_channels, parameters.in_channels),
                                onednn.engine)) {
  std::copy(parameters.weight.begin(), parameters.weight.end(),
            static_cast<float*>(copies_.front().get_data_handle()));
}

FilterBank FilterBank::rotated(const FilterBank& filters) {
  const auto dims = filters.copies_.front().get_desc().dims();
  const std::int64_t out_channels = dims[0];
  const std::int64_t in_channels = dims[1];
  const memory plain =
      reordered(filters.onednn_, filters.copies_.front(), plain_layout(out_channels, in_channels));
  memory turned(plain_layout(in_channels, out_channels), filters.onednn_.engine);
  const auto* from = static_cast<const float*>(plain.get_data_handle());
  auto* to = static_cast<float*>(turned.get_data_handle());
#pragma omp parallel for schedule(static)
  for (std::int64_t c = 0; c < in_channels; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      for (std::int64_t k = 0; k < out_channels; ++k) {
        to[(c * 9 + tap) * out_channels + k] = from[(k * 9 + 8 - tap) * in_channels + c];
      }
    }
  }
  return {filters.onednn_, turned};
}

memory FilterBank::in(const memory::desc& layout) {
  const auto known = std::find_if(copies_.begin(), copies_.end(),
                                  [&](const memory& copy) { return copy.get_desc() == layout; });
  if (known != copies_.end()) return *known;
  memory copy = reordered(onednn_, copies_.front(), layout);
  if (plain_) copies_.clear();  // any layout can be made from any other
  plain_ = false;
  copies_.push_back(copy);
  return copy;
}

OneDnnConv::OneDnnConv(const OneDnn& onednn, const ConvParameters& parameters)
    : onednn_(onednn),
      filters_(onednn, parameters),
      bias_({{parameters.out_channels}, memory::data_type::f32, memory::format_tag::x},
            onednn.engine) {
  std::copy(parameters.bias.begin(), parameters.bias.end(),
            static_cast<float*>(bias_.get_data_handle()));
}

void OneDnnConv::forward(const Tensor& y, const Tensor& x, bool relu) {
  convolve(y, x, filters_, {.bias = true, .relu = relu}, forward_plans_);
}

void OneDnnConv::data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                               const GradientEpilogue& epilogue) {
  if (!rotated_) rotated_.emplace(FilterBank::rotated(filters_));
  convolve(grad_x, grad_y, *rotated_, {.accumulate = epilogue.accumulate}, gradient_plans_);
  if (!epilogue.relu_mask) return;
  dispatch(grad_x.type, [&]<class T>(T) {
    kernels::cpu::relu_mask(grad_x.as<T>(), x.as<T>(), x.shape.count());
  });
}

void OneDnnConv::convolve(const Tensor& out, const Tensor& in, FilterBank& filters,
                          const Epilogue& epilogue, std::map<Key, Plan>& plans) {
  const Key key{in.shape.batch, in.shape.height, in.shape.width, in.type, out.type, epilogue};
  auto found = plans.find(key);
  if (found == plans.end()) {
    found = plans.emplace(key, make_plan(out, in, filters, epilogue)).first;
  }
  const Plan& plan = found->second;
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, memory(nhwc(in.shape, in.type), onednn_.engine, in.data)},
      {DNNL_ARG_WEIGHTS, plan.filters},
      {DNNL_ARG_DST, memory(nhwc(out.shape, out.type), onednn_.engine, out.data)}};
  if (epilogue.bias) arguments.emplace(DNNL_ARG_BIAS, bias_);
  plan.primitive.execute(onednn_.stream, arguments);
}

OneDnnConv::Plan OneDnnConv::make_plan(const Tensor& out, const Tensor& in, FilterBank& filters,
                                       const Epilogue& epilogue) {
  const memory::dims ones{1, 1};
  const memory::desc any_filters({out.shape.channels, in.shape.channels, 3, 3},
                                 onednn_type(in.type), memory::format_tag::any);
  const auto description =
      epilogue.bias
          ? dnnl::convolution_forward::desc(dnnl::prop_kind::forward_inference,
                                            dnnl::algorithm::convolution_direct,
                                            nhwc(in.shape, in.type), any_filters, bias_.get_desc(),
                                            nhwc(out.shape, out.type), ones, ones, ones)
          : dnnl::convolution_forward::desc(
                dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                nhwc(in.shape, in.type), any_filters, nhwc(out.shape, out.type), ones, ones, ones);
  dnnl::post_ops steps;
  if (epilogue.accumulate) steps.append_sum(1.0F);
  if (epilogue.relu) steps.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(steps);
  const dnnl::convolution_forward::primitive_desc chosen(description, attributes, onednn_.engine);
  return {dnnl::convolution_forward(chosen), filters.in(chosen.weights_desc())};
}

}  // namespace impasto::cpu
