// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "host/backend/backend.hpp"

namespace impasto {

/// What backends that compute on the host share: their memory is the host's, and nothing they do is
/// still under way when a call returns.
class HostBackend : public Backend {
 public:
  Buffer allocate(std::size_t bytes) override;
  void fill_zero(const Tensor& tensor) override;
  void copy(const Tensor& to, const Tensor& from) override;
  void write(const Tensor& to, std::span<const float> from) override;
  void read(std::span<float> to, const Tensor& from) override;
  void synchronize() override {}

 protected:
  /// The processor's own name, for people.
  static std::string processor();
};

}  // namespace impasto
