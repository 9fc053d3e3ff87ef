// SPDX-License-Identifier: MIT
#include "weights/inspect.hpp"

#include <gmock/gmock.h>

#include "host/core/sha256.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/save_weights.hpp"

namespace impasto {
namespace {

using ::testing::HasSubstr;

TEST(InspectWeights, ReportsShapesStatisticsAndSource) {
  const TemporaryFolder folder;
  Weights weights = pattern_weights("conv1_2");
  ConvParameters& first = weights.convs[0].parameters;
  std::fill(first.weight.begin(), first.weight.end(), 1.0F);
  first.weight[0] = -3;
  first.weight[1] = 5;
  std::fill(first.bias.begin(), first.bias.end(), 0.25F);
  const WeightsOrigin origin = {"imagenet-vgg-verydeep-19.mat", std::string(64, '0'),
                                "8ee3263992981a1d26e73b3ca028a123", "0.1.0"};
  save_weights(weights, folder.file("w.h5"), origin);

  const WeightsReport report = inspect_weights(folder.file("w.h5"));
  EXPECT_EQ(report.file_bytes, std::filesystem::file_size(folder.file("w.h5")));
  EXPECT_EQ(report.file_sha256, sha256_file(folder.file("w.h5")));
  EXPECT_EQ(report.header.origin.source_file, origin.source_file);
  EXPECT_EQ(report.header.origin.source_sha256, origin.source_sha256);
  EXPECT_EQ(report.header.origin.converter_version, "0.1.0");
  ASSERT_NE(report.known, nullptr);
  EXPECT_THAT(std::string(report.known->name), HasSubstr("beta16"));

  ASSERT_EQ(report.layers.size(), 2U);
  const LayerReport& layer = report.layers[0];
  EXPECT_EQ(layer.name, "conv1_1");
  EXPECT_EQ(layer.in_channels, 3);
  EXPECT_EQ(layer.out_channels, 64);
  EXPECT_EQ(layer.weight.min, -3);
  EXPECT_EQ(layer.weight.max, 5);
  EXPECT_DOUBLE_EQ(layer.weight.mean, 1);
  EXPECT_DOUBLE_EQ(layer.weight.deviation, std::sqrt(32.0 / 1728));
  EXPECT_EQ(layer.bias.mean, 0.25);
  EXPECT_EQ(layer.bias.deviation, 0);
}

TEST(InspectWeights, KnowsNoSourceOfTheBuiltInNetwork) {
  const TemporaryFolder folder;
  save_weights(pattern_weights("conv1_1"), folder.file("w.h5"), {});
  EXPECT_EQ(inspect_weights(folder.file("w.h5")).known, nullptr);
}

TEST(InspectWeights, RefusesWhatLoadingRefuses) {
  const TemporaryFolder folder;
  write_all(folder.file("w.h5"), "not HDF5");
  EXPECT_THAT(message_of(ErrorKind::weights, [&] { inspect_weights(folder.file("w.h5")); }),
              HasSubstr("not an HDF5 file"));
}

}  // namespace
}  // namespace impasto
