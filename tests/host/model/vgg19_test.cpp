// SPDX-License-Identifier: MIT
#include "host/model/vgg19.hpp"

#include <gmock/gmock.h>

#include "host/core/error.hpp"

namespace impasto {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string message_for(std::string_view name) {
  try {
    vgg19_index(name);
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

TEST(Vgg19, FindsEveryLayerByItsName) {
  for (std::size_t i = 0; i < vgg19.size(); ++i) EXPECT_EQ(vgg19_index(vgg19.at(i).name), i);
}

TEST(Vgg19, UnderstandsTheNamesOfOtherSystems) {
  EXPECT_EQ(vgg19_index("relu4_2"), vgg19_index("conv4_2"));
  EXPECT_EQ(vgg19_index("block4_conv2"), vgg19_index("conv4_2"));
  EXPECT_EQ(vgg19_index("block5_pool"), vgg19_index("pool5"));
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
}  // namespace impasto
