// SPDX-License-Identifier: MIT
#include "host/backend/registry.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/cuda/cuda_backend.hpp"
#include "host/backend/reference/reference_backend.hpp"
#include "host/backend/simt/simt_backend.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

/// A backend of this program. Its entry is made when it is asked for: to learn of GPUs, NVIDIA's
/// libraries are loaded, and they are large.
struct RegisteredBackend {
  std::string name;
  std::function<BackendEntry()> entry;
  std::function<std::unique_ptr<Backend>(Precision, const DeviceOptions&)> make;
};

/// In the order of preference. The last two are for checking.
std::vector<RegisteredBackend> registered_backends() {
  const auto on_the_host = [](auto make) {
    return [make](Precision precision, const DeviceOptions&) { return make(precision); };
  };
  const auto one_device = [](std::vector<Precision> precisions) {
    return std::vector<DeviceEntry>{{0, "", std::move(precisions), {}}};
  };
  const auto on_this_machine = [](std::string name, std::string about,
                                  std::vector<DeviceEntry> devices) {
    return [entry = BackendEntry{std::move(name), std::move(about), "", std::move(devices)}] {
      return entry;
    };
  };
  return {{"cuda",
           [] {
             return BackendEntry{"cuda", "our kernels, cuDNN and cuBLASLt on an NVIDIA GPU",
                                 why_no_cuda(), list_cuda_devices()};
           },
           make_cuda_backend},
          {"cpu",
           on_this_machine("cpu", "oneDNN convolutions and products, OpenMP",
                           one_device(cpu_precisions())),
           on_the_host(make_cpu_backend)},
          {"simt",
           on_this_machine("simt", "the CUDA kernels on the host, for checking them",
                           list_simt_devices()),
           make_simt_backend},
          {"reference",
           on_this_machine("reference", "plain loops in double, for checking",
                           one_device({Precision::fp32})),
           on_the_host([](Precision) { return make_reference_backend(); })}};
}

/// A backend as it is asked for: "cuda", or "cuda:1" for its second device.
struct Request {
  std::string_view name;
  std::optional<int> index;
};

Request parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, std::nullopt};
  const std::string_view digits = text.substr(colon + 1);
  int index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size() || index < 0) {
    fail(ErrorKind::usage, "'{}': expected the number of a device after the colon", text);
  }
  return {text.substr(0, colon), index};
}

const DeviceEntry& find_device(const BackendEntry& entry, int index) {
  const auto found = std::ranges::find(entry.devices, index, &DeviceEntry::index);
  if (found == entry.devices.end()) {
    fail(ErrorKind::backend, "the {} backend has no device {}: it has {}, counted from 0",
         entry.name, index, entry.devices.size());
  }
  if (!found->unavailable.empty()) {
    fail(ErrorKind::backend, "the {} backend cannot use device {}: {}", entry.name, index,
         found->unavailable);
  }
  return *found;
}

/// A backend that can be used here, and what it is to be made with.
struct Choice {
  RegisteredBackend backend;
  Precision precision;
  DeviceOptions options;
};

Choice choose(std::string_view name, std::optional<Precision> precision, DeviceOptions options) {
  const Request request = parse(name);
  if (request.index) options.index = request.index;
  const std::vector<RegisteredBackend> backends = registered_backends();
  const auto chosen = std::ranges::find_if(backends, [&](const RegisteredBackend& backend) {
    return request.name == "auto" ? backend.entry().unavailable.empty()
                                  : backend.name == request.name;
  });
  if (chosen == backends.end()) {
    std::string known = "auto";
    for (const RegisteredBackend& backend : backends) known += ", " + backend.name;
    fail(ErrorKind::usage, "unknown backend '{}': expected one of {}", request.name, known);
  }
  const BackendEntry entry = chosen->entry();
  if (!entry.unavailable.empty()) {
    fail(ErrorKind::backend, "the {} backend is not available: {}", entry.name, entry.unavailable);
  }
  if (!options.index) {
    const auto usable = std::ranges::find(entry.devices, std::string(), &DeviceEntry::unavailable);
    options.index = usable == entry.devices.end() ? 0 : usable->index;
  }
  const std::vector<Precision>& offered = find_device(entry, *options.index).precisions;
  const Precision wanted = precision.value_or(offered.front());
  if (std::ranges::find(offered, wanted) == offered.end()) {
    std::string list;
    for (const Precision offer : offered) {
      list += (list.empty() ? "" : ", ") + std::string(to_string(offer));
    }
    fail(ErrorKind::backend, "the {} backend has no {} here: it offers {}", entry.name,
         to_string(wanted), list);
  }
  return {*chosen, wanted, options};
}

}  // namespace

std::vector<BackendEntry> list_backends() {
  std::vector<BackendEntry> entries;
  for (const RegisteredBackend& backend : registered_backends()) entries.push_back(backend.entry());
  return entries;
}

std::unique_ptr<Backend> make_backend(std::string_view name, std::optional<Precision> precision,
                                      DeviceOptions options) {
  const Choice chosen = choose(name, precision, options);
  return chosen.backend.make(chosen.precision, chosen.options);
}

void require_backend(std::string_view name, std::optional<Precision> precision) {
  static_cast<void>(choose(name, precision, {}));
}

}  // namespace impasto
