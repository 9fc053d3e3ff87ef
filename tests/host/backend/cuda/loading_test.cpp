// SPDX-License-Identifier: MIT
// What can be known of loading NVIDIA's libraries without a GPU.
#include "host/backend/cuda/loading.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/cuda/cudnn.hpp"
#include "host/core/error.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::cuda::loading_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
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
  EXPECT_THAT(backend_error([] { SharedLibrary("libimpasto-nowhere.so.7", "nowhere"); }),
              AllOf(HasSubstr("cannot load libimpasto-nowhere.so.7"), HasSubstr("No such file")));
}

TEST(Loading, NamesAFunctionThatALibraryDoesNotHave) {
  const SharedLibrary library("libm.so.6", "nowhere");
  EXPECT_THAT(backend_error([&] { (void)library.symbol("cudnnNowhere"); }),
              AllOf(HasSubstr("libm.so.6"), HasSubstr("cudnnNowhere")));
}

TEST(Loading, FindsTheFunctionsOfALibrary) {
  double (*cosine)(double) = nullptr;
  SharedLibrary("libm.so.6", "nowhere").find(cosine, "cos");
  EXPECT_EQ(cosine(0), 1);
}

/// A folder with copies of a small library that no test has loaded, and the environment that names it.
class Places : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONDA_PREFIX", "CUDA_HOME", "CUDA_PATH"}) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }

  /// A copy that is no other file's: the system takes two names of one file for one library.
  std::string copy(const std::string& folder, const std::string& file) const {
    const std::filesystem::path to = folder_ / folder / file;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy_file(SharedLibrary("libz.so.1", "nowhere").path(), to);
    return to;
  }
  /// The folder of a wheel beside this program's own.
  static std::filesystem::path wheel() {
    return std::filesystem::canonical("/proc/self/exe").parent_path().parent_path() / "nvidia";
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(Places, AreTheWheelsCondaTheSystemAndTheToolkitInThisOrder) {
  EXPECT_THAT(places_of("libz.so.1", "cu13"),
              ElementsAre((wheel() / "cu13/lib/libz.so.1").string(), "libz.so.1",
                          "/usr/local/cuda/lib64/libz.so.1"));
  ::setenv("CONDA_PREFIX", "/conda", 1);
  ::setenv("CUDA_PATH", "/path", 1);
  EXPECT_THAT(places_of("libz.so.1", "cu13"),
              ElementsAre((wheel() / "cu13/lib/libz.so.1").string(), "/conda/lib/libz.so.1",
                          "libz.so.1", "/path/lib64/libz.so.1"));
  ::setenv("CUDA_HOME", "/home", 1);
  EXPECT_EQ(places_of("libz.so.1", "cu13").back(), "/home/lib64/libz.so.1");
}

TEST_F(Places, GiveTheFirstThatIsThere) {
  ::setenv("CONDA_PREFIX", folder_.c_str(), 1);
  ::setenv("CUDA_HOME", folder_.c_str(), 1);
  const std::string toolkit = copy("lib64", "libimpasto-first.so");
  EXPECT_EQ(SharedLibrary("libimpasto-first.so", "nowhere").path(), toolkit);
  copy("lib64", "libimpasto-second.so");
  const std::string conda = copy("lib", "libimpasto-second.so");
  EXPECT_EQ(SharedLibrary("libimpasto-second.so", "nowhere").path(), conda);
}

TEST_F(Places, AreNotLookedAtForWhatIsLoaded) {
  const std::string loaded = SharedLibrary("libm.so.6", "nowhere").path();
  ::setenv("CONDA_PREFIX", folder_.c_str(), 1);
  copy("lib", "libm.so.6");
  EXPECT_EQ(SharedLibrary("libm.so.6", "nowhere").path(), loaded);
}

TEST_F(Places, NameACopyThatIsBroken) {
  ::setenv("CONDA_PREFIX", folder_.c_str(), 1);
  std::filesystem::create_directories(folder_ / "lib");
  std::ofstream(folder_ / "lib/libimpasto-broken.so") << "no library";
  EXPECT_THAT(backend_error([] { SharedLibrary("libimpasto-broken.so", "nowhere"); }),
              AllOf(HasSubstr("cannot load libimpasto-broken.so"), HasSubstr(folder_.string())));
}

TEST(Loading, FindsCudnnAndCublasLtWithTheToolkit) {
  load_cudnn();
  load_cudnn();
  EXPECT_THAT(cudnn_file(), HasSubstr("libcudnn.so.9"));
  EXPECT_THAT(cublaslt_file(), HasSubstr("libcublasLt.so"));
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
}  // namespace impasto::cuda::loading_test
