// SPDX-License-Identifier: MIT
#include "simt/source_file.hpp"

#include <gtest/gtest.h>
#include <string>

namespace simt::source_file_test {
namespace {

TEST(SourceFile, IsAKernelsWhereverTheTreeLies) {
  for (const char* tree :
       {"/home/me/impasto", "/usr/src/impasto", "/home/me/simt", "/usr/local/src/tests/simt/x"}) {
    EXPECT_TRUE(is_kernels_own(std::string(tree) + "/kernels/gram/rung_1_naive.cuh:25")) << tree;
    EXPECT_TRUE(is_kernels_own(std::string(tree) + "/tests/simt/planted_race.hpp:10")) << tree;
    EXPECT_FALSE(is_kernels_own(std::string(tree) + "/simt/host_words.hpp:70")) << tree;
  }
}

TEST(SourceFile, OfALibraryIsNoKernels) {
  for (const char* file :
       {"/usr/include/c++/12/bits/stl_algobase.h:238",
        "/usr/lib/gcc/x86_64-linux-gnu/12/include/xmmintrin.h:9", "/usr/local/include/fmt/core.h:1",
        "/opt/gcc-14/include/c++/14.2.0/bit:3"}) {
    EXPECT_FALSE(is_kernels_own(file)) << file;
  }
}

}  // namespace
}  // namespace simt::source_file_test
