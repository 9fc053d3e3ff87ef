// SPDX-License-Identifier: MIT
// What can be known of loading NVIDIA's libraries without a GPU.
#include "host/backend/cuda/loading.hpp"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/cuda/cudnn.hpp"
#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string backend_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::backend);
    return error.what();
  }
  return "no error";
}

TEST(Loading, NamesALibraryThatIsNotThere) {
  EXPECT_THAT(backend_error([] { SharedLibrary("libimpasto-nowhere.so.7"); }),
              AllOf(HasSubstr("cannot load libimpasto-nowhere.so.7"), HasSubstr("No such file")));
}

TEST(Loading, NamesAFunctionThatALibraryDoesNotHave) {
  const SharedLibrary library("libm.so.6");
  EXPECT_THAT(backend_error([&] { (void)library.symbol("cudnnNowhere"); }),
              AllOf(HasSubstr("libm.so.6"), HasSubstr("cudnnNowhere")));
}

TEST(Loading, FindsTheFunctionsOfALibrary) {
  double (*cosine)(double) = nullptr;
  SharedLibrary("libm.so.6").find(cosine, "cos");
  EXPECT_EQ(cosine(0), 1);
}

TEST(Loading, FindsCudnnAndCublasLtWithTheToolkit) {
  load_cudnn();
  load_cudnn();
  EXPECT_THAT(cudnn_version(), MatchesRegex("9\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(cublaslt_version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(Architectures, RunMachineCodeWithinTheirMajorVersion) {
  EXPECT_TRUE(runs_on("80-real", {8, 0}));
  EXPECT_TRUE(runs_on("80-real", {8, 9}));
  EXPECT_FALSE(runs_on("86-real", {8, 0}));
  EXPECT_FALSE(runs_on("80-real", {9, 0}));
  EXPECT_TRUE(runs_on("100-real", {10, 3}));
}

TEST(Architectures, RunSpecialCodeOnlyWhereItWasBuiltFor) {
  EXPECT_TRUE(runs_on("90a-real", {9, 0}));
  EXPECT_TRUE(runs_on("90a", {9, 0}));
  EXPECT_FALSE(runs_on("90a", {10, 0}));
  EXPECT_FALSE(runs_on("100a-real", {10, 3}));
}

TEST(Architectures, RunIntermediateCodeFromTheirVersionOn) {
  for (const char* list : {"75-virtual", "75"}) {
    EXPECT_TRUE(runs_on(list, {7, 5}));
    EXPECT_TRUE(runs_on(list, {12, 1}));
    EXPECT_FALSE(runs_on(list, {7, 0}));
  }
  EXPECT_TRUE(runs_on("native", {9, 0}));
}

TEST(Architectures, OfThePresetRunFromTuringOn) {
  const char* preset = "75-real 80-real 86-real 89-real 90a-real 100-real 120";
  for (const ComputeCapability gpu :
       {ComputeCapability{7, 5}, ComputeCapability{8, 0}, ComputeCapability{8, 7},
        ComputeCapability{9, 0}, ComputeCapability{10, 3}, ComputeCapability{12, 1},
        ComputeCapability{13, 0}}) {
    EXPECT_TRUE(runs_on(preset, gpu)) << gpu.major << "." << gpu.minor;
  }
  EXPECT_FALSE(runs_on(preset, {7, 0}));
  EXPECT_FALSE(runs_on(preset, {11, 0}));
  EXPECT_EQ(spelled(preset), "7.5, 8.0, 8.6, 8.9, 9.0, 10.0, 12.0");
}

}  // namespace
}  // namespace impasto::cuda
