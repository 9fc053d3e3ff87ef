// SPDX-License-Identifier: MIT
#include "weights/download.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <curl/curl.h>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <string_view>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/paths.hpp"

namespace impasto {
namespace {

constexpr int most_attempts = 5;  // in a row that bring nothing
constexpr int most_in_all = 100;
constexpr long most_redirections = 10;
constexpr long slowest = 1000;  // bytes per second

/// The file that is fetched, with what has come of it. Nobody else writes to it meanwhile.
class PartialFile {
 public:
  explicit PartialFile(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644)) {
    if (!file_) fail_to_write(path, errno);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      fail(ErrorKind::output, "cannot write '{}': another program fetches it", path);
    }
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) fail_to_write(path, errno);
    bytes_ = static_cast<std::uint64_t>(status.st_size);
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Both return 0, or the system's reason: curl's callbacks, which call them, must not throw.

  int start_over() {
    if (::ftruncate(file_.get(), 0) != 0) return errno;
    bytes_ = 0;
    return 0;
  }

  int append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno;
      bytes.remove_prefix(static_cast<std::size_t>(count));
      bytes_ += static_cast<std::uint64_t>(count);
    }
    return 0;
  }

 private:
  FileDescriptor file_;
  std::uint64_t bytes_ = 0;
};

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof(four));
    return ntohl(four.sin_addr.s_addr) >> 24U == 127;
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof(six));
  return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

/// "http://127.0.0.1:8000/file" and the like.
bool names_loopback(std::string_view url) {
  for (const std::string_view host : {"127.0.0.1", "localhost", "[::1]"}) {
    const std::string start = fmt::format("http://{}", host);
    if (url.starts_with(start) && url.size() > start.size() &&
        (url[start.size()] == '/' || url[start.size()] == ':')) {
      return true;
    }
  }
  return false;
}

/// Where the bytes of an answer begin in the file, from its Content-Range; nothing else is read.
std::uint64_t first_of_range(std::string_view header) {
  constexpr std::string_view name = "content-range: bytes ";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (header.size() < name.size() ||
      !std::ranges::equal(header.substr(0, name.size()), name, same)) {
    return ~std::uint64_t{0};
  }
  std::uint64_t first = ~std::uint64_t{0};
  std::from_chars(header.data() + name.size(), header.data() + header.size(), first);
  return first;
}

/// One attempt to get the rest of a file, as curl's callbacks see it.
struct Attempt {
  CURL* curl;
  PartialFile& file;
  const DownloadOptions& options;
  bool only_loopback;

  std::uint64_t begin = 0;  ///< what the file had
  std::uint64_t range = ~std::uint64_t{0};
  bool began = false;
  int write_error = 0;
  std::string refusal = {};  ///< why we ended it ourselves

  [[nodiscard]] long status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  /// False where these bytes are none of the file's.
  bool begins() {
    constexpr long whole = 200;
    constexpr long part = 206;
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr && std::string_view(type).starts_with("text/html")) {
      if (status() == whole) refusal = "the server sends a web page in place of the file";
      return false;
    }
    if (status() == whole) {
      if (begin > 0) write_error = file.start_over();
      return write_error == 0;
    }
    if (status() != part) return false;
    if (range == begin) return true;
    refusal = "the server continues at another place than asked for";
    return false;
  }

  bool take(std::string_view bytes) {
    if (!began && !begins()) return false;
    began = true;
    if (file.bytes() + bytes.size() > options.max_bytes) {
      refusal = fmt::format("the server sends more than {} bytes", options.max_bytes);
      return false;
    }
    write_error = file.append(bytes);
    return write_error == 0;
  }
};

std::size_t on_bytes(char* bytes, std::size_t /*one*/, std::size_t count, void* attempt) {
  return static_cast<Attempt*>(attempt)->take({bytes, count}) ? count : 0;
}

std::size_t on_header(char* bytes, std::size_t /*one*/, std::size_t count, void* attempt) {
  const std::uint64_t first = first_of_range({bytes, count});
  if (first != ~std::uint64_t{0}) static_cast<Attempt*>(attempt)->range = first;
  return count;
}

int on_progress(void* attempt, curl_off_t total, curl_off_t /*done*/, curl_off_t, curl_off_t) {
  const Attempt& self = *static_cast<Attempt*>(attempt);
  if (!self.options.progress || !self.began) return 0;
  const std::uint64_t rest = total > 0 ? static_cast<std::uint64_t>(total) : 0;
  const std::uint64_t from = self.range == self.begin ? self.begin : 0;
  self.options.progress(self.file.bytes(), self.options.bytes > 0 ? self.options.bytes
                                           : rest > 0             ? from + rest
                                                                  : 0);
  return 0;
}

/// A connection that begins on this machine stays here, also after a redirection: it may be without
/// HTTPS.
curl_socket_t on_connect(void* attempt, curlsocktype /*purpose*/, curl_sockaddr* address) {
  Attempt& self = *static_cast<Attempt*>(attempt);
  if (self.only_loopback && !is_loopback(address->addr)) {
    self.refusal = "it leads from this machine to another one without HTTPS";
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct CurlClose {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlClose>;

Curl make_curl(const std::string& url, const DownloadOptions& options, bool loopback,
               char* error_text) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(started == CURLE_OK ? curl_easy_init() : nullptr);
  require(curl != nullptr, "libcurl cannot start");
  CURL* c = curl.get();
  const char* protocols = loopback ? "http,https" : "https";
  const auto patience = static_cast<long>(options.patience.count());
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, most_redirections);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, patience);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, slowest);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, patience);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "impasto/" IMPASTO_VERSION);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error_text);
  if (loopback) curl_easy_setopt(c, CURLOPT_PROXY, "");
  return curl;
}

void prepare(CURL* curl, Attempt& attempt) {
  // Not curl's way to resume, which gives up where the server begins again.
  const std::string range = fmt::format("{}-", attempt.begin);
  curl_easy_setopt(curl, CURLOPT_RANGE, attempt.begin > 0 ? range.c_str() : nullptr);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_connect);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &attempt);
}

/// What another attempt may mend: the network, or a server that is busy.
bool may_pass(CURLcode result, long status) {
  constexpr long too_many = 429;
  constexpr long server_fault = 500;
  if (status == too_many || status >= server_fault) return true;
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
  }
}

}  // namespace

void download(const std::string& url, const std::string& path, const DownloadOptions& options) {
  const bool loopback = names_loopback(url);
  if (!loopback && !url.starts_with("https://")) {
    fail(ErrorKind::usage, "cannot fetch '{}': expected an address that begins with https://", url);
  }
  PartialFile file(path);
  std::array<char, CURL_ERROR_SIZE> error_text{};
  const Curl curl = make_curl(url, options, loopback, error_text.data());
  int tries = 0;  // in a row that brought nothing
  for (int all = 1;; ++all, ++tries) {
    if (options.bytes > 0 && file.bytes() == options.bytes) return;
    const auto start_over = [&] {
      if (const int reason = file.start_over(); reason != 0) fail_to_write(path, reason);
    };
    if (options.bytes > 0 && file.bytes() > options.bytes) start_over();
    Attempt attempt{curl.get(), file, options, loopback};
    attempt.begin = file.bytes();
    prepare(curl.get(), attempt);
    error_text[0] = '\0';
    const CURLcode result = curl_easy_perform(curl.get());
    const long status = attempt.status();

    if (attempt.write_error != 0) fail_to_write(path, attempt.write_error);
    constexpr long no_such_range = 416;
    if (status == no_such_range && attempt.begin > 0) {
      // The file has no more than what is here, or is another one by now.
      start_over();
      continue;
    }
    const bool good_status = status == 200 || status == 206;
    const bool complete = options.bytes == 0 || file.bytes() == options.bytes;
    if (result == CURLE_OK && good_status && complete) return;

    if (file.bytes() > attempt.begin) tries = 0;
    const bool cut_short = result == CURLE_OK && good_status;
    if (attempt.refusal.empty() && (cut_short || may_pass(result, status)) &&
        tries + 1 < most_attempts && all < most_in_all) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250) * (1 << tries));
      continue;
    }
    const auto refuse = [&](const std::string& reason) {
      fail(ErrorKind::input, "cannot fetch '{}': {}", url, reason);
    };
    if (!attempt.refusal.empty()) refuse(attempt.refusal);
    if (status >= 400) refuse(fmt::format("the server answers {}", status));
    if (cut_short) {
      refuse(fmt::format("the server ends after {} of {} bytes", file.bytes(), options.bytes));
    }
    refuse(error_text[0] != '\0' ? error_text.data() : curl_easy_strerror(result));
  }
}

std::string download_library() {
  return fmt::format("libcurl {}", curl_version_info(CURLVERSION_NOW)->version);
}

}  // namespace impasto
