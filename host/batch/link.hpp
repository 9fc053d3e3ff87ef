// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <utility>

#include "host/core/file_descriptor.hpp"

namespace impasto::batch {

using Json = nlohmann::ordered_json;

/// One end of the connection between the supervisor and a worker: messages in order, in JSON.
class Link {
 public:
  explicit Link(FileDescriptor socket) : socket_(std::move(socket)) {}
  /// Both ends; a program that is started inherits neither.
  static std::pair<Link, Link> make();

  /// False where the other end is gone.
  bool send(const Json& message) const;
  /// Waits up to `milliseconds` for a message. Nothing where none came, or none will come any more,
  /// which ended() tells apart.
  std::optional<Json> receive(int milliseconds);
  [[nodiscard]] bool ended() const { return ended_; }
  /// Says that this end has no more to send.
  void finish() const;
  [[nodiscard]] int descriptor() const { return socket_.get(); }

 private:
  FileDescriptor socket_;
  bool ended_ = false;
};

}  // namespace impasto::batch
