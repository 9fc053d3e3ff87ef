// SPDX-License-Identifier: MIT
#include "host/model/vgg.hpp"

#include <gmock/gmock.h>

#include "host/core/error.hpp"

namespace impasto::vgg_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string message_for(std::string_view name) {
  try {
    static_cast<void>(vgg19.index(name));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(Vgg19, HasSixteenConvolutionsAndFivePoolsThatFitTogether) {
  int convs = 0;
  std::int64_t channels = 3;
  for (const VggLayer& layer : vgg19) {
    EXPECT_EQ(layer.in_channels, channels) << layer.name;
    channels = layer.out_channels;
    if (layer.kind == conv_kind) ++convs;
  }
  EXPECT_EQ(convs, 16);
  EXPECT_EQ(vgg19.size(), 21U);
}

TEST(Vgg16, HasThirteenOfTheConvolutionsOfVgg19) {
  std::vector<std::string_view> left_out;
  auto next = vgg16.begin();
  for (const VggLayer& layer : vgg19) {
    if (next == vgg16.end() || next->name != layer.name) {
      left_out.push_back(layer.name);
      continue;
    }
    EXPECT_EQ(next->kind, layer.kind);
    EXPECT_EQ(next->in_channels, layer.in_channels);
    EXPECT_EQ(next->out_channels, layer.out_channels);
    ++next;
  }
  EXPECT_EQ(next, vgg16.end()) << "a layer that VGG-19 lacks, or another order";
  EXPECT_EQ(left_out, (std::vector<std::string_view>{"conv3_4", "conv4_4", "conv5_4"}));
  EXPECT_EQ(vgg16.convs().size(), 13U);
}

TEST(Vgg16, SaysOfALayerOfVgg19ThatItIsNotThere) {
  EXPECT_EQ(vgg16.index("relu3_3"), 8U);
  try {
    static_cast<void>(vgg16.index("relu3_4"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("VGG-16 has no layer 'relu3_4'"));
    EXPECT_THAT(error.what(), HasSubstr("conv3_2, conv3_3, pool3, conv4_1"));
  }
}

TEST(VggLayers, ListTheConvolutionsUpToALayer) {
  const auto names = [](const std::vector<const VggLayer*>& convs) {
    std::vector<std::string_view> found;
    for (const VggLayer* conv : convs) found.push_back(conv->name);
    return found;
  };
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(names(vgg16.convs_up_to("conv2_1")), (Names{"conv1_1", "conv1_2", "conv2_1"}));
  EXPECT_EQ(names(vgg16.convs_up_to("pool1")), (Names{"conv1_1", "conv1_2"}));
  EXPECT_EQ(vgg19.convs_up_to("pool3").back()->name, "conv3_4");
  EXPECT_EQ(vgg16.convs_up_to("pool3").back()->name, "conv3_3");
}

TEST(Vgg19, FindsEveryLayerByItsName) {
  for (std::size_t i = 0; i < vgg19.size(); ++i) EXPECT_EQ(vgg19.index(vgg19[i].name), i);
}

TEST(Vgg19, UnderstandsTheNamesOfOtherSystems) {
  EXPECT_EQ(vgg19.index("relu4_2"), vgg19.index("conv4_2"));
  EXPECT_EQ(vgg19.index("block4_conv2"), vgg19.index("conv4_2"));
  EXPECT_EQ(vgg19.index("block5_pool"), vgg19.index("pool5"));
}

TEST(Vgg19, NamesTheLayersAndTheNearestOneWhenThereIsNone) {
  const std::string message = message_for("conv42");
  EXPECT_THAT(message, HasSubstr("no layer 'conv42'; did you mean 'conv4_2'?"));
  EXPECT_THAT(message, HasSubstr("conv1_1, conv1_2, pool1, "));
  EXPECT_THAT(message, HasSubstr(", conv5_4, pool5"));
}

TEST(Vgg19, SuggestsNothingForANameFarFromAll) {
  EXPECT_THAT(message_for("banana"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(message_for(""), HasSubstr("no layer ''. Its layers"));
  EXPECT_THAT(message_for(std::string(100000, 'x')), Not(HasSubstr("did you mean")));
}

TEST(Vgg19, RefusesHalfAnAlias) {
  EXPECT_THAT(message_for("block4"), HasSubstr("no layer"));
  EXPECT_THAT(message_for("relu9_9"), HasSubstr("no layer"));
  EXPECT_THAT(message_for("block4_conv"), HasSubstr("no layer"));
}

}  // namespace
}  // namespace impasto::vgg_test
