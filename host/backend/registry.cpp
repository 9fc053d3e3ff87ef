// SPDX-License-Identifier: MIT
#include "host/backend/registry.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/cuda/cuda_backend.hpp"
#include "host/backend/reference/reference_backend.hpp"
#include "host/backend/simt/simt_backend.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

struct Known {
  BackendEntry entry;
  std::function<std::unique_ptr<Backend>(Precision, Tuning)> make;
};

/// In the order of preference. The last two are for checking.
std::vector<Known> known_backends() {
  const auto untuned = [](auto make) {
    return [make](Precision precision, Tuning) { return make(precision); };
  };
  const std::string no_cuda = why_no_cuda();
  return {{{"cuda", "our kernels, cuDNN and cuBLASLt on an NVIDIA GPU", no_cuda, cuda_precisions(),
            no_cuda.empty() ? cuda_details() : decltype(cuda_details()){}},
           make_cuda_backend},
          {{"cpu", "oneDNN convolutions and products, OpenMP", "", cpu_precisions(), {}},
           untuned(make_cpu_backend)},
          {{"simt",
            "the CUDA kernels on the host, for checking them",
            "",
            {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16},
            {}},
           untuned(make_simt_backend)},
          {{"reference", "plain loops in double, for checking", "", {Precision::fp32}, {}},
           untuned([](Precision) { return make_reference_backend(); })}};
}

}  // namespace

std::vector<BackendEntry> list_backends() {
  std::vector<BackendEntry> entries;
  for (const Known& known : known_backends()) entries.push_back(known.entry);
  return entries;
}

std::unique_ptr<Backend> make_backend(std::string_view name, std::optional<Precision> precision,
                                      Tuning tuning) {
  const std::vector<Known> backends = known_backends();
  const auto chosen = std::find_if(backends.begin(), backends.end(), [&](const Known& known) {
    return name == "auto" ? known.entry.unavailable.empty() : known.entry.name == name;
  });
  if (chosen == backends.end()) {
    std::string names = "auto";
    for (const Known& known : backends) names += ", " + known.entry.name;
    fail(ErrorKind::usage, "unknown backend '{}': expected one of {}", name, names);
  }
  const BackendEntry& entry = chosen->entry;
  if (!entry.unavailable.empty()) {
    fail(ErrorKind::backend, "the {} backend is not available: {}", entry.name, entry.unavailable);
  }
  const Precision wanted = precision.value_or(entry.precisions.front());
  if (std::find(entry.precisions.begin(), entry.precisions.end(), wanted) ==
      entry.precisions.end()) {
    std::string offered;
    for (const Precision offer : entry.precisions) {
      offered += (offered.empty() ? "" : ", ") + std::string(to_string(offer));
    }
    fail(ErrorKind::backend, "the {} backend has no {} here: it offers {}", entry.name,
         to_string(wanted), offered);
  }
  return chosen->make(wanted, tuning);
}

}  // namespace impasto
