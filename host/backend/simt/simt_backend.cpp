// SPDX-License-Identifier: MIT
#include "host/backend/simt/simt_backend.hpp"

#include <optional>
#include <utility>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/device/device_backend.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "simt/machine.hpp"
#include "simt/stream.hpp"

namespace impasto {
namespace {

/// A feature map's values as float, whatever they are stored as.
class Widened {
 public:
  explicit Widened(const Tensor& stored)
      : stored_(stored), values_(static_cast<std::size_t>(stored.shape.count())) {
    for_each([&](const auto& value, std::size_t i) { values_[i] = static_cast<float>(value); });
  }

  [[nodiscard]] Tensor tensor() { return {values_.data(), stored_.shape, DataType::f32}; }

  /// Rounds the values back to where they came from.
  void store() const {
    for_each([&]<class T>(T& value, std::size_t i) { value = static_cast<T>(values_[i]); });
    simt::Machine::get().device_memory().mark_written(stored_.data, stored_.bytes());
  }

 private:
  template <class Each>
  void for_each(Each each) const {
    dispatch<float, kernels::bfloat16, kernels::float16>(stored_.type, [&]<class T>(T) {
      for (std::size_t i = 0; i < values_.size(); ++i) each(stored_.as<T>()[i], i);
    });
  }

  Tensor stored_;
  std::vector<float> values_;
};

/// Parameters of the cpu backend's convolutions.
struct CpuConv final : DeviceConv {
  std::unique_ptr<Conv> cpu;
};

/// The cpu backend's convolutions in float: maps are widened before and rounded after, as a tensor
/// core's sums are.
class CpuConvolutions final : public Libraries {
 public:
  explicit CpuConvolutions(emulated::Runtime& runtime) : stream_(*runtime.stream()) {}

  std::string names() const override { return "convolutions: cpu backend, fp32"; }
  std::unique_ptr<DeviceConv> make_conv(const ConvParameters& parameters) override {
    auto conv = std::make_unique<CpuConv>();
    conv->cpu = cpu_->make_conv(parameters);
    return conv;
  }
  using Libraries::candidates;
  std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall& call) override {
    if (call.problem.kind == ConvProblem::Kind::first_forward) return nullptr;
    return std::make_unique<OneCandidate>(*this);
  }

 private:
  class OneCandidate final : public Candidates<ConvCall> {
   public:
    explicit OneCandidate(CpuConvolutions& convolutions) : convolutions_(convolutions) {}
    std::optional<Candidate<ConvCall>> next() override {
      if (std::exchange(given_, true)) return std::nullopt;
      return Candidate<ConvCall>{
          {"cpu backend", {}}, 0, [&convolutions = convolutions_](const ConvCall& call, void*) {
            convolutions.enqueue(call);
          }};
    }
    std::optional<Candidate<ConvCall>> find(const AlgoId& /*id*/) override { return next(); }

   private:
    CpuConvolutions& convolutions_;
    bool given_ = false;
  };

  void enqueue(const ConvCall& call) {
    stream_.enqueue([call, this] {
      Conv& conv = *static_cast<const CpuConv&>(*call.conv).cpu;
      Widened to(call.to);
      if (call.problem.kind == ConvProblem::Kind::forward) {
        cpu_->conv_forward(to.tensor(), Widened(call.from).tensor(), conv, call.problem.relu);
      } else {
        const bool masked = call.problem.epilogue.relu_mask;
        std::optional<Widened> mask;
        if (masked) mask.emplace(call.mask);
        cpu_->conv_data_gradient(to.tensor(), Widened(call.from).tensor(),
                                 masked ? mask->tensor() : Tensor(), conv, call.problem.epilogue);
      }
      to.store();
    });
  }

  simt::Stream& stream_;
  std::unique_ptr<Backend> cpu_ = make_cpu_backend(Precision::fp32);
};

}  // namespace

std::vector<DeviceEntry> list_simt_devices() {
  std::vector<DeviceEntry> devices;
  for (int index = 0; index < simt::Machine::count; ++index) {
    devices.push_back(
        {index, "", {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}, {}});
  }
  return devices;
}

std::unique_ptr<Backend> make_simt_backend(Precision precision, const DeviceOptions& options) {
  auto runtime = std::make_unique<emulated::Runtime>(options.index.value_or(0));
  auto convolutions = std::make_unique<CpuConvolutions>(*runtime);
  return emulated::make_device_backend("simt", precision, std::move(runtime),
                                       std::move(convolutions), Tuning::off, PlanCache("", {}));
}

}  // namespace impasto
