// SPDX-License-Identifier: MIT
#include "host/backend/cpu/cpu_backend.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "host/backend/cpu/conv.hpp"
#include "host/backend/cpu/matmul.hpp"
#include "host/backend/cpu/style.hpp"
#include "host/backend/cpu/wasserstein.hpp"
#include "host/backend/cpu/winograd_conv.hpp"
#include "host/backend/host_backend.hpp"
#include "host/core/error.hpp"
#include "kernels/axpby/axpby.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/guide/guide.hpp"
#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "kernels/preprocess/preprocess.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"
#include "kernels/upsample/upsample.hpp"

namespace impasto {
namespace {

using cpu::CpuConv;

std::string_view isa_name() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_core_amx";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core: return "avx512_core";
    case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::sse41: return "sse41";
    default: return "another instruction set";
  }
}

/// oneDNN needs AVX-512 for bfloat16, and ONEDNN_MAX_CPU_ISA may forbid it.
bool has_bf16() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return __builtin_cpu_supports("avx512bf16") != 0 && (isa & needed) == needed;
}

/// The instructions for our own kernels: of those that oneDNN may use, so that
/// ONEDNN_MAX_CPU_ISA holds for both.
std::optional<kernels::cpu::Simd> own_simd() {
  using kernels::cpu::Simd;
  const auto allowed = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto offers = [&](dnnl::cpu_isa isa, Simd simd) {
    const auto needed = static_cast<unsigned>(isa);
    return (allowed & needed) == needed && kernels::cpu::has_simd(simd);
  };
  if (offers(dnnl::cpu_isa::avx512_core, Simd::avx512)) return Simd::avx512;
  if (offers(dnnl::cpu_isa::avx2, Simd::avx2)) return Simd::avx2;
  return std::nullopt;
}

/// Where the CPU multiplies bfloat16 matrices in hardware (AMX), oneDNN's direct convolution is the
/// fastest. The vector instruction alone (vdpbf16ps) is not enough: see docs/performance.md.
bool has_bf16_matrix_unit() {
  return dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx;
}

/// Runs what may call oneDNN, whose want of memory becomes an Error.
template <class Work>
auto with_onednn(Work work) {
  try {
    return work();
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_out_of_memory) throw;
    fail(ErrorKind::out_of_memory, "not enough memory for oneDNN: {}", error.what());
  }
}

class CpuBackend final : public HostBackend {
 public:
  explicit CpuBackend(Precision precision) : precision_(precision) {}

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("{}, {} threads, oneDNN {}.{}.{} ({})", processor(), cpu::OneDnn::threads(),
                       version->major, version->minor, version->patch, isa_name());
  }
  Precision precision() const override { return precision_; }
  DataType activation_type() const override { return storage_of(precision_); }
  DataType master_type() const override { return DataType::f32; }

  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override {
    const bool transformed = precision_ == Precision::winograd ||
                             (precision_ == Precision::bf16 && !has_bf16_matrix_unit());
    const auto simd = own_simd();
    if (transformed && simd &&
        kernels::cpu::winograd_fits(parameters.in_channels, parameters.out_channels)) {
      if (precision_ == Precision::winograd) {
        return std::make_unique<cpu::WinogradConv<float>>(*simd, parameters);
      }
      return std::make_unique<cpu::WinogradConv<kernels::bfloat16>>(*simd, parameters);
    }
    return with_onednn([&] {
      auto conv = std::make_unique<cpu::OneDnnConv>(parameters);
      if (parameters.in_channels == 3) conv->plain = parameters;
      return conv;
    });
  }

  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu) override {
    const Tensor input = network_input(pixels.shape);
    dispatch<float, kernels::bfloat16>(input.type, [&]<class T>(T) {
      kernels::cpu::preprocess(input.as<T>(), pixels.as<float>(), mean,
                               pixels.shape.batch * pixels.shape.pixels());
    });
    conv_forward(y, input, conv, relu);
  }
  void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) override {
    const auto simd = own_simd();
    if (simd && kernels::cpu::first_conv_backward_fits(grad_y.shape.channels)) {
      dispatch<float, kernels::bfloat16>(grad_y.type, [&]<class T>(T) {
        kernels::cpu::first_conv_backward(grad_pixels.as<float>(), grad_y.as<T>(),
                                          cpu_conv(conv).plain.weight.data(), grad_y.shape, *simd);
      });
      return;
    }
    with_onednn([&] { cpu_conv(conv).data_gradient(onednn_, grad_pixels, grad_y, {}, {}); });
  }
  void replicate_border_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                const std::array<float, 3>& mean, bool relu) override {
    const ConvParameters& parameters = cpu_conv(conv).plain;
    dispatch<float, kernels::bfloat16>(y.type, [&]<class T>(T) {
      kernels::cpu::replicate_border_forward(y.as<T>(), pixels.as<float>(),
                                             parameters.weight.data(), parameters.bias.data(), mean,
                                             y.shape, relu);
    });
  }
  void replicate_border_backward(const Tensor& grad_pixels, const Tensor& grad_y,
                                 Conv& conv) override {
    dispatch<float, kernels::bfloat16>(grad_y.type, [&]<class T>(T) {
      kernels::cpu::replicate_border_backward(grad_pixels.as<float>(), grad_y.as<T>(),
                                              cpu_conv(conv).plain.weight.data(), grad_y.shape);
    });
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) override {
    with_onednn([&] { cpu_conv(conv).forward(onednn_, y, x, relu); });
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue) override {
    with_onednn([&] { cpu_conv(conv).data_gradient(onednn_, grad_x, grad_y, x, epilogue); });
  }

  void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::pool_forward(y.as<T>(), x.as<T>(), x.shape, kind);
    });
  }
  void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const PoolKind& kind, const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::pool_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), x.shape, kind,
                                  epilogue);
    });
  }
  void max_blur_forward(const Tensor& y, const Tensor& x) override {
    dispatch<float, kernels::bfloat16>(
        x.type, [&]<class T>(T) { kernels::cpu::max_blur_forward(y.as<T>(), x.as<T>(), x.shape); });
  }
  void max_blur_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                         const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::max_blur_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), x.shape, epilogue);
    });
  }

  void guide_forward(const Tensor& y, const Tensor& x, const Tensor& guide) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::guide_forward(y.as<T>(), x.as<T>(), guide.as<float>(), x.shape);
    });
  }
  void guide_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                      const Tensor& guide, const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::guide_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), guide.as<float>(),
                                   x.shape, epilogue);
    });
  }

  void crop_forward(const Tensor& y, const Tensor& x, const Corner& corner) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::crop_forward(y.as<T>(), x.as<T>(), y.shape, x.shape, corner);
    });
  }
  void crop_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const Corner& corner, const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::crop_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), grad_y.shape,
                                  grad_x.shape, corner, epilogue);
    });
  }

  void gram(const Tensor& gram, const Tensor& features) override {
    const auto simd = own_simd();
    if (simd && features.type == DataType::f32 &&
        kernels::cpu::gram_fits(features.shape.channels)) {
      const int threads = cpu::OneDnn::threads();
      const std::int64_t values = kernels::cpu::gram_workspace(features.shape, threads);
      kernels::cpu::gram(gram.as<float>(), features.as<float>(), features.shape, *simd,
                         static_cast<float*>(onednn_.scratchpad.reserve(
                             static_cast<std::size_t>(values) * sizeof(float))),
                         threads);
      return;
    }
    with_onednn([&] { gram_(gram, features); });
  }
  void style_loss(const Tensor& loss, const Tensor& matrix, const Tensor& gram,
                  const Tensor& target, const StyleLossScale& scale) override {
    kernels::cpu::style_loss(loss.as<float>(), matrix.as<float>(), gram.as<float>(),
                             target.as<float>(), gram.shape.batch, gram.shape.channels, scale);
  }
  void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                 const Tensor& target, const StyleLossScale& scale) override {
    if (matrix.type != DataType::bf16) {
      Ops::gram_loss(loss, matrix, features, target, scale);
    } else {
      with_onednn([&] { narrow_gram_loss_(loss, matrix, features, target, scale); });
    }
  }
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue) override {
    with_onednn([&] { style_backward_(grad, features, matrix, epilogue); });
  }
  void style_first_conv_backward(const Tensor& grad_pixels, const Tensor& grad,
                                 const Tensor& features, const Tensor& matrix, Conv& conv,
                                 const GradientEpilogue& epilogue) override {
    const auto simd = own_simd();
    if (!simd || features.type != DataType::f32 ||
        !kernels::cpu::style_first_conv_fits(features.shape.channels)) {
      Ops::style_first_conv_backward(grad_pixels, grad, features, matrix, conv, epilogue);
      return;
    }
    kernels::cpu::style_first_conv_backward(
        grad_pixels.as<float>(), grad.as<float>(), features.as<float>(), matrix.as<float>(),
        cpu_conv(conv).plain.weight.data(), features.shape, epilogue, *simd);
  }
  void channel_statistics(const Tensor& statistics, const Tensor& features,
                          const Tensor& weights) override {
    dispatch<float, kernels::bfloat16>(features.type, [&]<class T>(T) {
      kernels::cpu::channel_statistics(statistics.as<float>(), features.as<T>(),
                                       weights.as<float>(), features.shape);
    });
  }
  void statistics_loss(const Tensor& loss, const Tensor& coefficients, const Tensor& statistics,
                       const Tensor& target, const StatisticsLossScale& scale) override {
    kernels::cpu::statistics_loss(loss.as<float>(), coefficients.as<float>(),
                                  statistics.as<float>(), target.as<float>(),
                                  statistics.shape.batch, statistics.shape.channels, scale);
  }
  void statistics_backward(const Tensor& grad, const Tensor& features, const Tensor& coefficients,
                           const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(features.type, [&]<class T>(T) {
      kernels::cpu::statistics_backward(grad.as<T>(), features.as<T>(), coefficients.as<float>(),
                                        features.shape, epilogue);
    });
  }
  void covariance_root(const Tensor& root, const Tensor& second_moment,
                       const Tensor& statistics) override {
    with_onednn([&] { wasserstein_.covariance_root(root, second_moment, statistics); });
  }
  void wasserstein_loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
                        const Tensor& gram, const Tensor& statistics,
                        const WassersteinTarget& target, const WassersteinScale& scale) override {
    with_onednn(
        [&] { wasserstein_.loss(loss, matrix, coefficients, gram, statistics, target, scale); });
  }
  void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                    const Tensor& target, const ContentLossScale& scale,
                    const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(features.type, [&]<class T>(T) {
      kernels::cpu::content_loss(loss.as<float>(), grad.as<T>(), features.as<T>(), target.as<T>(),
                                 features.shape, scale, epilogue);
    });
  }
  void normalize_gradient(const Tensor& grad_x, const Tensor& g, const Tensor& x,
                          const GradientNorm& to, const GradientEpilogue& epilogue) override {
    dispatch<float, kernels::bfloat16>(x.type, [&]<class T>(T) {
      kernels::cpu::normalize_gradient(grad_x.as<T>(), g.as<T>(), x.as<T>(), x.shape, to, epilogue);
    });
  }
  void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                       const VariationScale& scale) override {
    kernels::cpu::total_variation(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                                  pixels.shape, scale);
  }
  void variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                 const VariationOptions& options) override {
    kernels::cpu::variation(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                            pixels.shape, options);
  }
  void temporal_loss(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                     const Tensor& target, const Tensor& mask,
                     const TemporalLossScale& scale) override {
    kernels::cpu::temporal_loss(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                                target.as<float>(), mask.as<float>(), pixels.shape, scale);
  }
  void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
            const Tensor& grad_pixels, const AdamOptions& options) override {
    kernels::cpu::adam(pixels.as<float>(), m.as<float>(), v.as<float>(), step.as<std::int64_t>(),
                       grad_pixels.as<float>(), pixels.shape.count(), options);
  }
  void descent(const Tensor& pixels, const Tensor& step, const Tensor& grad_pixels,
               const DescentOptions& options) override {
    kernels::cpu::descent(pixels.as<float>(), step.as<std::int64_t>(), grad_pixels.as<float>(),
                          pixels.shape.count(), options);
  }
  void lbfgs(const Tensor& pixels, const Tensor& pairs, const Tensor& direction,
             const Tensor& last_grad, const Tensor& scalars, const Tensor& grad_pixels,
             const Tensor& loss, const Tensor& ended, const LbfgsOptions& options,
             const LbfgsParts& parts) override {
    kernels::cpu::lbfgs(pixels.as<float>(), pairs.as<float>(), direction.as<float>(),
                        last_grad.as<float>(), scalars.as<double>(), grad_pixels.as<float>(),
                        loss.as<float>(), ended.as<float>(), pixels.shape, options, parts);
  }
  void upsample_add(const Tensor& y, const Tensor& x) override {
    kernels::cpu::upsample_add(y.as<float>(), x.as<float>(), y.shape);
  }
  void upsample_transpose(const Tensor& x, const Tensor& y) override {
    kernels::cpu::upsample_transpose(x.as<float>(), y.as<float>(), y.shape);
  }
  void colour_map(const Tensor& y, const Tensor& x, const ColourMatrix& matrix,
                  bool accumulate) override {
    kernels::cpu::colour_map(y.as<float>(), x.as<float>(), matrix, accumulate, y.shape.count() / 3);
  }
  void axpby(const Tensor& y, double a, const Tensor& x, double b) override {
    kernels::cpu::axpby(y.as<float>(), a, x.as<float>(), b, y.shape.count());
  }
  void clamp(const Tensor& y, const Tensor& x, double lowest, double highest) override {
    dispatch<float, kernels::bfloat16>(y.type, [&]<class T>(T) {
      kernels::cpu::clamp(y.as<T>(), x.as<T>(), lowest, highest, y.shape.count());
    });
  }

 private:
  static CpuConv& cpu_conv(Conv& conv) { return dynamic_cast<CpuConv&>(conv); }

  /// The preprocessed pixels, between two steps of one operation.
  Tensor network_input(const Shape& shape) {
    Tensor input{nullptr, shape, activation_type()};
    if (input.bytes() > input_bytes_) {
      input_ = allocate(input.bytes());
      input_bytes_ = input.bytes();
    }
    input.data = input_.get();
    return input;
  }

  Precision precision_;
  cpu::OneDnn onednn_;
  cpu::Matmul matmul_{onednn_};
  cpu::Gram gram_{matmul_};
  cpu::NarrowGramLoss narrow_gram_loss_{gram_};
  cpu::StyleBackward style_backward_{matmul_};
  cpu::Wasserstein wasserstein_{matmul_};
  Buffer input_;
  std::size_t input_bytes_ = 0;
};

}  // namespace

std::vector<Precision> cpu_precisions() {
  std::vector<Precision> precisions;
  if (own_simd()) precisions.push_back(Precision::winograd);
  precisions.push_back(Precision::fp32);
  if (has_bf16()) precisions.push_back(Precision::bf16);
  return precisions;
}

std::unique_ptr<Backend> make_cpu_backend(Precision precision) {
  return std::make_unique<CpuBackend>(precision);
}

}  // namespace impasto
