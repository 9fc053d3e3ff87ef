// SPDX-License-Identifier: MIT
#include "host/backend/cpu/conv.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "kernels/clamp/clamp.hpp"
#include "kernels/conv/all_finite.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cpu {
namespace {

using dnnl::memory;

memory::desc plain_layout(std::int64_t out_channels, std::int64_t in_channels) {
  return {{out_channels, in_channels, 3, 3}, memory::data_type::f32, memory::format_tag::ohwi};
}

memory reordered(const OneDnn& onednn, memory from, const memory::desc& layout) {
  OneDnn::threads();
  memory to(layout, onednn.engine);
  dnnl::stream stream = onednn.stream;
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

}  // namespace

FilterBank::FilterBank(const ConvParameters& parameters)
    : FilterBank(memory(plain_layout(parameters.out_channels, parameters.in_channels),
                        OneDnn::shared_engine())) {
  std::copy(parameters.weight.begin(), parameters.weight.end(),
            static_cast<float*>(copies_.front().get_data_handle()));
}

FilterBank FilterBank::rotated(const OneDnn& onednn, const FilterBank& filters) {
  const memory::dims dims = dims_of(filters.copies_.front().get_desc());
  const std::int64_t out_channels = dims[0];
  const std::int64_t in_channels = dims[1];
  const memory plain =
      reordered(onednn, filters.copies_.front(), plain_layout(out_channels, in_channels));
  memory rotated(plain_layout(in_channels, out_channels), onednn.engine);
  const auto* from = static_cast<const float*>(plain.get_data_handle());
  auto* to = static_cast<float*>(rotated.get_data_handle());
  rotate_filters(to, from, out_channels, in_channels);
  return FilterBank(rotated);
}

memory FilterBank::in(const OneDnn& onednn, const memory::desc& layout) {
  const auto known = std::find_if(copies_.begin(), copies_.end(),
                                  [&](const memory& copy) { return copy.get_desc() == layout; });
  if (known != copies_.end()) return *known;
  memory copy = reordered(onednn, copies_.front(), layout);
  if (plain_) copies_.clear();  // any layout can be made from any other
  plain_ = false;
  copies_.push_back(copy);
  return copy;
}

OneDnnConv::OneDnnConv(const ConvParameters& parameters)
    : filters_(parameters),
      bias_({{parameters.out_channels}, memory::data_type::f32, memory::format_tag::x},
            OneDnn::shared_engine()) {
  std::copy(parameters.bias.begin(), parameters.bias.end(),
            static_cast<float*>(bias_.get_data_handle()));
}

void OneDnnConv::forward(OneDnn& onednn, const Tensor& y, const Tensor& x, bool relu) {
  bool fused = relu;
  if (relu) {
    dispatch<float, kernels::bfloat16>(
        x.type, [&]<class T>(T) { fused = kernels::cpu::all_finite(x.as<T>(), x.shape.count()); });
  }
  const Plan& plan = [&]() -> const Plan& {
    const std::lock_guard lock(mutex_);
    return plan_for(onednn, y, x, filters_, {.bias = true, .relu = fused}, forward_plans_);
  }();
  run(onednn, plan, y, x, true);
  if (!relu || fused) return;
  dispatch<float, kernels::bfloat16>(y.type, [&]<class T>(T) {
    constexpr double unbounded = std::numeric_limits<double>::infinity();
    kernels::cpu::clamp(y.as<T>(), y.as<T>(), 0, unbounded, y.shape.count());
  });
}

void OneDnnConv::data_gradient(OneDnn& onednn, const Tensor& grad_x, const Tensor& grad_y,
                               const Tensor& x, const GradientEpilogue& epilogue) {
  const Plan& plan = [&]() -> const Plan& {
    const std::lock_guard lock(mutex_);
    if (!rotated_) rotated_.emplace(FilterBank::rotated(onednn, filters_));
    return plan_for(onednn, grad_x, grad_y, *rotated_, {.accumulate = epilogue.accumulate},
                    gradient_plans_);
  }();
  run(onednn, plan, grad_x, grad_y, false);
  if (!epilogue.relu_mask) return;
  dispatch<float, kernels::bfloat16>(grad_x.type, [&]<class T>(T) {
    kernels::cpu::relu_mask(grad_x.as<T>(), x.as<T>(), x.shape.count());
  });
}

const OneDnnConv::Plan& OneDnnConv::plan_for(const OneDnn& onednn, const Tensor& out,
                                             const Tensor& in, FilterBank& filters,
                                             const Epilogue& epilogue, std::map<Key, Plan>& plans) {
  const Key key{in.shape.batch, in.shape.height, in.shape.width,   in.type,
                out.type,       epilogue,        OneDnn::threads()};
  auto found = plans.find(key);
  if (found == plans.end()) {
    found = plans.emplace(key, make_plan(onednn, out, in, filters, epilogue)).first;
  }
  return found->second;
}

void OneDnnConv::run(OneDnn& onednn, const Plan& plan, const Tensor& out, const Tensor& in,
                     bool bias) {
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, memory(nhwc(in.shape, in.type), onednn.engine, in.data)},
      {DNNL_ARG_WEIGHTS, plan.filters},
      {DNNL_ARG_DST, memory(nhwc(out.shape, out.type), onednn.engine, out.data)}};
  if (bias) arguments.emplace(DNNL_ARG_BIAS, bias_);
  std::optional<OneThread> one_thread;
  if (plan.one_thread) one_thread.emplace();
  onednn.run(plan.primitive, plan.scratchpad, std::move(arguments));
}

OneDnnConv::Plan OneDnnConv::make_plan(const OneDnn& onednn, const Tensor& out, const Tensor& in,
                                       FilterBank& filters, const Epilogue& epilogue) {
  const memory::desc any_filters({out.shape.channels, in.shape.channels, 3, 3},
                                 onednn_type(in.type), memory::format_tag::any);
  dnnl::post_ops steps;
  if (epilogue.accumulate) steps.append_sum(1.0F);
  if (epilogue.relu) append_relu(steps);
  const auto describe = [&] {
    return describe_convolution(onednn.engine, nhwc(in.shape, in.type), any_filters,
                                epilogue.bias ? std::optional(bias_.get_desc()) : std::nullopt,
                                nhwc(out.shape, out.type), OneDnn::attributes(steps));
  };
  auto chosen = describe();
  // Without a direct convolution (3 output channels on SSE4.1, odd numbers of channels) oneDNN
  // falls back to matrix products, and splits their sums by the number of threads.
  const bool one_thread =
      std::string_view(chosen.impl_info_str()).find("gemm") != std::string_view::npos;
  if (one_thread) {
    const OneThread alone;
    chosen = describe();
  }
  return {dnnl::convolution_forward(chosen), filters.in(onednn, chosen.weights_desc()),
          chosen.scratchpad_desc(), one_thread};
}

}  // namespace impasto::cpu
