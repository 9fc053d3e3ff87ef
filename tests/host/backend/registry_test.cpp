// SPDX-License-Identifier: MIT
#include "host/backend/registry.hpp"

#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto::registry_test {
namespace {

template <class Call>
std::string error_of(ErrorKind kind, Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return {};
}

TEST(Registry, AutoNeverMeansTheReference) { EXPECT_NE(make_backend("auto")->name(), "reference"); }

TEST(Registry, EveryAvailableBackendOpensInItsPrecisions) {
  for (const BackendEntry& entry : list_backends()) {
    if (!entry.unavailable.empty()) continue;
    for (const Precision precision : entry.precisions()) {
      EXPECT_EQ(make_backend(entry.name, precision)->name(), entry.name);
    }
  }
}

TEST(Registry, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  const std::string message = error_of(ErrorKind::usage, [] { (void)make_backend("gpu"); });
  EXPECT_NE(message.find("'gpu'"), std::string::npos);
  EXPECT_NE(message.find("cpu"), std::string::npos);
}

TEST(Registry, APrecisionThatIsNotOfferedIsRefused) {
  const std::string message =
      error_of(ErrorKind::backend, [] { (void)make_backend("reference", Precision::bf16); });
  EXPECT_NE(message.find("bf16"), std::string::npos);
}

TEST(Registry, EveryDeviceOpensByItsIndex) {
  for (const BackendEntry& entry : list_backends()) {
    if (!entry.unavailable.empty()) continue;
    ASSERT_FALSE(entry.devices.empty()) << entry.name;
    for (const DeviceEntry& device : entry.devices) {
      const std::string name = fmt::format("{}:{}", entry.name, device.index);
      EXPECT_EQ(make_backend(name)->index(), device.index) << name;
      EXPECT_EQ(make_backend(entry.name, std::nullopt, {.index = device.index})->index(),
                device.index);
    }
  }
}

TEST(Registry, ADeviceThatIsNotThereIsRefused) {
  for (const char* name : {"cpu:1", "simt:7"}) {
    const std::string message = error_of(ErrorKind::backend, [name] { (void)make_backend(name); });
    EXPECT_NE(message.find("has no device"), std::string::npos) << message;
  }
  for (const char* name : {"cpu:", "cpu:x", "cpu:0x", "cpu:-1"}) {
    error_of(ErrorKind::usage, [name] { (void)make_backend(name); });
  }
}

TEST(Registry, PrecisionsParseByName) {
  EXPECT_EQ(parse_precision("bf16"), Precision::bf16);
  EXPECT_EQ(parse_precision("auto"), std::nullopt);
  error_of(ErrorKind::usage, [] { (void)parse_precision("fp8"); });
}

}  // namespace
}  // namespace impasto::registry_test
