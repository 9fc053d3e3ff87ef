// SPDX-License-Identifier: MIT
#include "host/backend/registry.hpp"

#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto {
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
    for (const Precision precision : entry.precisions) {
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

TEST(Registry, PrecisionsParseByName) {
  EXPECT_EQ(parse_precision("bf16"), Precision::bf16);
  EXPECT_EQ(parse_precision("auto"), std::nullopt);
  error_of(ErrorKind::usage, [] { (void)parse_precision("fp8"); });
}

}  // namespace
}  // namespace impasto
