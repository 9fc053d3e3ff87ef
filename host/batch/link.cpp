// SPDX-License-Identifier: MIT
#include "host/batch/link.hpp"

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <system_error>

#include "host/core/error.hpp"

namespace impasto::batch {

std::pair<Link, Link> Link::make() {
  std::array<int, 2> ends{};
  // Such a socket keeps messages apart.
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail(ErrorKind::internal, "no connection for a worker: {}",
         std::generic_category().message(errno));
  }
  return {Link(FileDescriptor(ends[0])), Link(FileDescriptor(ends[1]))};
}

bool Link::send(const Json& message) const {
  const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  ssize_t count = 0;
  do {
    count = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count >= 0;
}

std::optional<Json> Link::receive(int milliseconds) {
  pollfd place{socket_.get(), POLLIN, 0};
  if (::poll(&place, 1, milliseconds) <= 0) return std::nullopt;
  // An end that was closed before it had read all resets the connection, which is said once; what it
  // sent before comes after that.
  const auto receive = [this](std::string& text, int flags) {
    ssize_t size = 0;
    do {
      size = ::recv(socket_.get(), text.data(), text.size(), flags);
    } while (size < 0 && errno == ECONNRESET);
    return size;
  };
  std::string text;  // its size first, which a message of any length has
  const ssize_t size = receive(text, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  if (size > 0) text.resize(static_cast<std::size_t>(size));
  if (size > 0 && receive(text, 0) == size) return Json::parse(text);
  ended_ = true;
  return std::nullopt;
}

void Link::finish() const { ::shutdown(socket_.get(), SHUT_WR); }

}  // namespace impasto::batch
