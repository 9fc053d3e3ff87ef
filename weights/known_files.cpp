// SPDX-License-Identifier: MIT
#include "weights/known_files.hpp"

#include <algorithm>
#include <array>

namespace impasto {
namespace {

constexpr std::array<KnownFile, 3> known_files = {{
    {"imagenet-vgg-verydeep-19.mat", "MatConvNet",
     "abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
     "106118b7cf60435e6d8e04f6a6dc3657"},
    {"imagenet-vgg-verydeep-19.mat (beta16)", "MatConvNet", "", "8ee3263992981a1d26e73b3ca028a123"},
    {"vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "Keras", "",
     "253f8cb515780f3b799900260a226db6"},
}};

}  // namespace

const KnownFile* find_known_file(std::string_view sha256, std::string_view md5) {
  const auto matches = [&](const KnownFile& file) {
    return file.sha256.empty() ? file.md5 == md5 : file.sha256 == sha256;
  };
  const auto* const found = std::ranges::find_if(known_files, matches);
  return found == known_files.end() ? nullptr : found;
}

}  // namespace impasto
