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
  std::unique_ptr<Readback> make_readback(std::int64_t count) override;
  void synchronize() override {}
  std::optional<std::size_t> free_memory() const override;

  std::size_t prepare(const std::function<void()>& /*operations*/) override { return 0; }
  void use_workspace(const Buffer& /*memory*/, std::size_t /*bytes*/) override {}
  std::unique_ptr<Recording> record(std::function<void()> operations) override;
  std::unique_ptr<Event> record_event() override;
  void begin_range(const std::string& /*name*/) override {}
  void end_range() override {}

 protected:
  /// The processor's own name, for people.
  static std::string processor();
};

}  // namespace impasto
