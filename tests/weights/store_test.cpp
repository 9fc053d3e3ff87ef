// SPDX-License-Identifier: MIT
// A download that is what it should be. What servers do wrong is in tests/host/app/get_test.py.
#include "weights/store.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "host/core/digest.hpp"
#include "host/core/file_descriptor.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "tests/weights/published_files.hpp"

namespace impasto::store_test {
namespace {

using ::testing::HasSubstr;

/// Answers every request on this machine with one file, until the test ends.
class Server {
 public:
  explicit Server(std::string content)
      : content_(std::move(content)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), any, size) != 0 || ::listen(socket_.get(), 4) != 0 ||
        ::getsockname(socket_.get(), any, &size) != 0) {
      throw std::runtime_error("no server on this machine");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/f", port_); }

 private:
  void serve() const {
    while (true) {
      const FileDescriptor client(::accept(socket_.get(), nullptr, nullptr));
      if (!client) return;
      std::array<char, 4096> request{};
      if (::read(client.get(), request.data(), request.size()) <= 0) continue;
      const std::string answer = fmt::format(
          "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content_.size());
      send(client, answer);
      send(client, content_);
    }
  }

  static void send(const FileDescriptor& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string content_;
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class Store : public ::testing::Test {
 protected:
  Store() { ::setenv("XDG_DATA_HOME", folder_.path().c_str(), 1); }
  ~Store() override { ::unsetenv("XDG_DATA_HOME"); }

  /// VGG-16 as Keras saves it.
  std::string published_bytes() {
    write_keras(vgg16_of(pattern_weights("conv5_4")), folder_.file("source.h5"), KerasNaming::flat);
    return read_all(folder_.file("source.h5"));
  }

  TemporaryFolder folder_;
};

TEST_F(Store, KeepsWhatItFetchedAndCheckedAsAWeightFile) {
  const std::string bytes = published_bytes();
  const std::string hash = sha256(std::as_bytes(std::span(bytes)));
  const Server server(bytes);
  KnownFile file{"source.h5", "somebody", "a licence", hash, "", "toy", {}, bytes.size(), "VGG-16"};
  std::uint64_t fetched = 0;
  const FetchReport report = fetch_weights(
      file, {.url = server.url(), .fetching = [&](std::uint64_t done, std::uint64_t total) {
               EXPECT_EQ(total, bytes.size());
               fetched = done;
             }});
  EXPECT_GT(fetched, 0U);
  EXPECT_TRUE(report.checked);
  EXPECT_EQ(report.sha256, hash);
  EXPECT_EQ(report.path, stored_path(file));
  EXPECT_EQ(report.path, folder_.file("impasto/weights/toy.h5"));
  EXPECT_TRUE(is_stored(file));
  const Weights stored = load_weights(report.path);
  expect_same_layers(stored, vgg16_of(pattern_weights("conv5_4")));
  EXPECT_EQ(stored.description, "VGG-16 from source.h5");
  // The download itself is gone.
  EXPECT_FALSE(std::filesystem::exists(folder_.file("impasto/weights/downloads")));

  // A file whose hash nobody published is taken, and the report says that nothing was compared.
  file.sha256 = "";
  file.bytes = 0;
  file.id = "unknown";
  EXPECT_FALSE(fetch_weights(file, {.url = server.url()}).checked);
}

TEST_F(Store, LetsNobodyFetchTheSameFileTwiceAtOnce) {
  const std::filesystem::path downloads = folder_.path() / "impasto" / "weights" / "downloads";
  std::filesystem::create_directories(downloads);
  const KnownFile file{"source.h5", "somebody", "", "", "", "toy", {}, 0, ""};
  const FileDescriptor other(
      ::open((downloads / "source.h5").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  EXPECT_THAT(
      message_of(ErrorKind::output, [&] { fetch_weights(file, {.url = "http://127.0.0.1:1/f"}); }),
      HasSubstr("another program fetches it"));
}

TEST_F(Store, FollowsNoLinkInPlaceOfADownload) {
  const std::filesystem::path downloads = folder_.path() / "impasto" / "weights" / "downloads";
  std::filesystem::create_directories(downloads);
  write_all(folder_.file("precious"), "precious");
  std::filesystem::create_symlink(folder_.file("precious"), downloads / "source.h5");
  const KnownFile file{"source.h5", "somebody", "", "", "", "toy", {}, 0, ""};
  const auto fetch = [&] { fetch_weights(file, {.url = "http://127.0.0.1:1/f"}); };
  EXPECT_THAT(message_of(ErrorKind::output, fetch), HasSubstr("source.h5"));
  EXPECT_EQ(read_all(folder_.file("precious")), "precious");
}

}  // namespace
}  // namespace impasto::store_test
