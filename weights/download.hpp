// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace impasto {

struct DownloadOptions {
  std::uint64_t bytes = 0;            ///< of the file where that is known; 0 if not
  std::uint64_t max_bytes = 0;        ///< more than these are not taken
  std::chrono::seconds patience{30};  ///< how long to wait for a connection or for further bytes
  /// Called now and then; `total` is 0 where it is not known.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

/// Fetches `url` into the file `path`. What the file holds already, from a run that was stopped, is
/// not fetched again where the server can continue; whether it was of the same file only a hash can
/// tell. A connection that breaks off or stands still is made again, five times in a row at most.
/// Redirections and proxies (HTTPS_PROXY, NO_PROXY) are as curl has them.
///
/// Everything comes over HTTPS, but from this very machine (127.0.0.1, ::1) over HTTP too. Throws
/// ErrorKind::input when the server does not give the file, and leaves what has come for the next
/// run; ErrorKind::output when `path` cannot be written.
void download(const std::string& url, const std::string& path, const DownloadOptions& options);

/// Name and version of the library that fetches: "libcurl 7.88.1".
std::string download_library();

}  // namespace impasto
