// SPDX-License-Identifier: MIT
#include "weights/known_files.hpp"

#include <algorithm>
#include <array>

namespace impasto {
namespace {

constexpr std::string_view torchvision_licence = "BSD 3-clause, the authors of torchvision";

constexpr std::string_view shift_tolerant_authors = "Abhijay Ghildyal and Feng Liu";
constexpr std::string_view shift_tolerant_licence = "BSD 2-clause, Abhijay Ghildyal and Feng Liu";

constexpr std::array all_files = {
    KnownFile{"imagenet-vgg-verydeep-19.mat", "MatConvNet", vgg_licence,
              "abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
              "106118b7cf60435e6d8e04f6a6dc3657", "vgg19",
              "https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat", 0, "VGG-19"},
    KnownFile{"imagenet-vgg-verydeep-16.mat", "MatConvNet", vgg_licence, "",
              "f72d927587ca4c97fbd165ec9cb9997f", "vgg16",
              "https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-16.mat", 0, "VGG-16"},
    KnownFile{"vgg19-dcbb9e9d.pth", "torchvision", torchvision_licence,
              "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44", "",
              "vgg19-torchvision", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
              574'673'361, "VGG-19"},
    KnownFile{"vgg16-397923af.pth", "torchvision", torchvision_licence,
              "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0", "",
              "vgg16-torchvision", "https://download.pytorch.org/models/vgg16-397923af.pth",
              553'433'881, "VGG-16"},
    KnownFile{"stlpips_pytorch-0.0.2-py3-none-any.whl", shift_tolerant_authors,
              shift_tolerant_licence,
              "a412bf901a97c942b37af57c7c63b6e5d1aebfe8d1dfc17853d4b2f878630645", "",
              "vgg16-shift-tolerant", "", 63'807'084, "VGG-16"},

    KnownFile{"vgg_shift_tolerant.pth of stlpips_pytorch 0.0.2", shift_tolerant_authors,
              shift_tolerant_licence,
              "44597da68f49c1837c100ff52299050f274d102eb102e5837178c79be6f0e250", ""},
    KnownFile{"vgg19-d01eb7cb.pth", "Justin Johnson", vgg_licence, "d01eb7cb", ""},
    KnownFile{"vgg16-00b39a1b.pth", "Justin Johnson", vgg_licence, "00b39a1b", ""},
    KnownFile{"imagenet-vgg-verydeep-19.mat (beta16)", "MatConvNet", vgg_licence, "",
              "8ee3263992981a1d26e73b3ca028a123"},
    KnownFile{"imagenet-vgg-verydeep-19.mat (earlier)", "MatConvNet", vgg_licence, "",
              "49e623de543b207d57fab0f6eaf79a7e"},
    KnownFile{"vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "Keras", vgg_licence, "",
              "253f8cb515780f3b799900260a226db6"},
    KnownFile{"vgg19_weights_tf_dim_ordering_tf_kernels.h5", "Keras", vgg_licence, "",
              "cbe5617147190e668d6c5d5026f83318"},
    KnownFile{"vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "Keras", vgg_licence, "",
              "6d6bbae143d832006294945121d1f1fc"},
    KnownFile{"vgg16_weights_tf_dim_ordering_tf_kernels.h5", "Keras", vgg_licence, "",
              "64373286793e3c8b2b4e3219cbf3544b"},
};

}  // namespace

std::span<const KnownFile> known_files() { return all_files; }

const KnownFile* find_known_file(std::string_view sha256, std::string_view md5) {
  const auto matches = [&](const KnownFile& file) {
    return file.sha256.empty() ? file.md5 == md5 : sha256.starts_with(file.sha256);
  };
  const auto* const found = std::ranges::find_if(all_files, matches);
  return found == all_files.end() ? nullptr : found;
}

}  // namespace impasto
