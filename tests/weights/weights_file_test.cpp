// SPDX-License-Identifier: MIT
#include "weights/weights_file.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <gmock/gmock.h>
#include <sys/mount.h>

#include "host/core/digest.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto::weights_file_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LoadWeights, ReadsBackWhatWasSaved) {
  const TemporaryFolder folder;
  Weights saved = pattern_weights("conv2_2");
  saved.mean = {1, 2, 3};
  saved.origin = {"some.mat", std::string(64, 'a'), std::string(32, 'b'), "1.2.3"};
  save_weights(saved, folder.file("w.h5"));
  EXPECT_THAT(folder.list(), ElementsAre("w.h5"));

  const Weights loaded = load_weights(folder.file("w.h5"), "conv2_2");
  expect_same_layers(loaded, saved);
  EXPECT_EQ(loaded.mean, saved.mean);
  EXPECT_EQ(loaded.description, "a pattern");
  EXPECT_EQ(loaded.origin.source_file, "some.mat");
  EXPECT_EQ(loaded.origin.source_sha256, std::string(64, 'a'));
}

TEST(SaveWeights, WritesNothingThatWouldBeRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.file("w.h5");
  save_weights(pattern_weights("conv1_1"), path);
  const std::string before = read_all(path);
  const auto refusal = [&](const Weights& weights) {
    const std::string message =
        message_of(ErrorKind::weights, [&] { save_weights(weights, path); });
    EXPECT_THAT(folder.list(), ElementsAre("w.h5"));
    EXPECT_EQ(read_all(path), before);
    EXPECT_THAT(message, HasSubstr("'" + path + "' is not written"));
    return message;
  };
  Weights weights = pattern_weights("conv1_1");
  weights.convs[0].parameters.bias[3] = std::nanf("");
  EXPECT_THAT(refusal(weights), HasSubstr("at position 3; expected finite values"));
  weights = pattern_weights("conv1_1");
  weights.mean = {100, 300, 100};
  EXPECT_THAT(refusal(weights), HasSubstr("from 0 to 255: found (100, 300, 100)"));
  weights = pattern_weights("conv1_1");
  weights.origin.source_sha256 = "not a hash";
  EXPECT_THAT(refusal(weights), HasSubstr("source hash"));
}

TEST(LoadWeights, ReadsAllSixteenLayersByDefault) {
  const TemporaryFolder folder;
  const Weights saved = pattern_weights("conv5_4");
  ASSERT_EQ(saved.convs.size(), 16U);
  save_weights(saved, folder.file("w.h5"));
  expect_same_layers(load_weights(folder.file("w.h5")), saved);
}

TEST(LoadWeights, StopsAtTheDeepestLayerNeeded) {
  const TemporaryFolder folder;
  save_weights(pattern_weights("conv2_2"), folder.file("w.h5"));
  expect_same_layers(load_weights(folder.file("w.h5"), "conv1_1"), pattern_weights("conv1_1"));
  expect_same_layers(load_weights(folder.file("w.h5"), "pool1"), pattern_weights("conv1_2"));
  expect_same_layers(load_weights(folder.file("w.h5"), "relu2_1"), pattern_weights("conv2_1"));
}

TEST(LoadWeights, SaysWhereAFileEndsThatIsNotDeepEnough) {
  const TemporaryFolder folder;
  save_weights(pattern_weights("conv1_2"), folder.file("w.h5"));
  const auto load = [&] { load_weights(folder.file("w.h5"), "conv4_2"); };
  EXPECT_THAT(message_of(ErrorKind::weights, load),
              AllOf(HasSubstr("end at conv1_2"), HasSubstr("reach conv4_2")));
}

TEST(LoadWeights, ReadsAnotherNetworkWithWhatItWasTrainedToSee) {
  const TemporaryFolder folder;
  Weights saved = pattern_weights("pool5", vgg16);
  ASSERT_EQ(saved.convs.size(), 13U);
  saved.mean = {123.675F, 116.28F, 103.53F};
  saved.deviation = {58.395F, 57.12F, 57.375F};
  saved.pool.mode = kernels::PoolMode::average;
  saved.licence = "BSD 2-Clause, someone";
  save_weights(saved, folder.file("w.h5"));

  const Weights loaded = load_weights(folder.file("w.h5"));
  expect_same_layers(loaded, saved);
  EXPECT_EQ(loaded.layers, &vgg16);
  EXPECT_EQ(loaded.mean, saved.mean);
  EXPECT_EQ(loaded.deviation, saved.deviation);
  EXPECT_EQ(loaded.pool, saved.pool);
  EXPECT_EQ(loaded.licence, saved.licence);
  EXPECT_EQ(load_weights(folder.file("w.h5"), "pool3").convs.back().name, "conv3_3");
}

TEST(LoadWeights, SaysWhichLayersANetworkHasThatLacksTheOneAskedFor) {
  const TemporaryFolder folder;
  save_weights(pattern_weights("conv1_1", vgg16), folder.file("w.h5"));
  const auto load = [&] { load_weights(folder.file("w.h5"), "conv3_4"); };
  EXPECT_THAT(message_of(ErrorKind::usage, load),
              AllOf(HasSubstr("VGG-16 has no layer 'conv3_4'"), HasSubstr("conv3_3, pool3")));
}

TEST(LoadWeights, ReadsFilesOfTheFirstFormatVersion) {
  const TemporaryFolder folder;
  const Weights saved = pattern_weights("conv1_2");
  save_weights(saved, folder.file("w.h5"));
  {
    const Hdf5FileId file(H5Fopen(folder.file("w.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    for (const char* later : {"deviation_pixel", "pooling", "licence"}) {
      ASSERT_GE(H5Adelete(file.get(), later), 0);
    }
    const Hdf5Attribute version(H5Aopen(file.get(), "format_version", H5P_DEFAULT));
    const int first = 1;
    ASSERT_GE(H5Awrite(version.get(), H5T_NATIVE_INT, &first), 0);
  }
  const Weights loaded = load_weights(folder.file("w.h5"), "conv1_2");
  expect_same_layers(loaded, saved);
  EXPECT_EQ(loaded.layers, &vgg19);
  EXPECT_EQ(loaded.deviation, (std::array{1.0F, 1.0F, 1.0F}));
  EXPECT_EQ(loaded.pool.mode, kernels::PoolMode::max);
  EXPECT_EQ(loaded.licence, "");
}

TEST(LoadWeights, CallsAnUnknownLayerAMistakeInTheRequest) {
  const auto load = [] { load_weights("whatever.h5", "conv9_9"); };
  EXPECT_THAT(message_of(ErrorKind::usage, load), HasSubstr("no layer 'conv9_9'"));
}

TEST(SaveWeights, GivesTheSameBytesForTheSameContent) {
  const TemporaryFolder folder;
  save_weights(pattern_weights("conv1_2"), folder.file("a.h5"));
  save_weights(pattern_weights("conv1_2"), folder.file("b.h5"));
  EXPECT_EQ(sha256_file(folder.file("a.h5")), sha256_file(folder.file("b.h5")));
}

TEST(SaveWeights, IntoAMissingFolderSaysSo) {
  const TemporaryFolder folder;
  const auto save = [&] { save_weights(pattern_weights("conv1_1"), folder.file("missing/w.h5")); };
  EXPECT_THAT(message_of(ErrorKind::output, save), HasSubstr("No such file or directory"));
}

TEST(SaveWeights, RefusesParametersThatDoNotFitTheirLayer) {
  const TemporaryFolder folder;
  Weights weights = pattern_weights("conv1_1");
  weights.convs[0].parameters.bias.pop_back();
  const auto save = [&] { save_weights(weights, folder.file("w.h5")); };
  EXPECT_THAT(message_of(ErrorKind::internal, save), HasSubstr("conv1_1"));
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(SaveWeights, OnAFullDiskSaysSoAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "a small file system could not be mounted: " << std::strerror(errno);
  }
  const Weights weights = pattern_weights("conv2_1");
  const auto save = [&] { save_weights(weights, folder.file("w.h5")); };
  EXPECT_THAT(message_of(ErrorKind::output, save), HasSubstr("No space left on device"));
  EXPECT_THAT(folder.list(), IsEmpty());
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

TEST(InspectWeights, ReportsShapesStatisticsAndSource) {
  const TemporaryFolder folder;
  Weights weights = pattern_weights("conv1_2");
  ConvParameters& first = weights.convs[0].parameters;
  std::fill(first.weight.begin(), first.weight.end(), 1.0F);
  first.weight[0] = -3;
  first.weight[1] = 5;
  std::fill(first.bias.begin(), first.bias.end(), 0.25F);
  weights.origin = {"imagenet-vgg-verydeep-19.mat", std::string(64, '0'),
                    "8ee3263992981a1d26e73b3ca028a123", "0.1.0"};
  save_weights(weights, folder.file("w.h5"));

  const WeightsReport report = inspect_weights(folder.file("w.h5"));
  EXPECT_EQ(report.file_bytes, std::filesystem::file_size(folder.file("w.h5")));
  EXPECT_EQ(report.file_sha256, sha256_file(folder.file("w.h5")));
  EXPECT_EQ(report.header.origin.source_file, weights.origin.source_file);
  EXPECT_EQ(report.header.origin.source_sha256, weights.origin.source_sha256);
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
  save_weights(pattern_weights("conv1_1"), folder.file("w.h5"));
  EXPECT_EQ(inspect_weights(folder.file("w.h5")).known, nullptr);
}

TEST(InspectWeights, RefusesWhatLoadingRefuses) {
  const TemporaryFolder folder;
  write_all(folder.file("w.h5"), "not HDF5");
  EXPECT_THAT(message_of(ErrorKind::weights, [&] { inspect_weights(folder.file("w.h5")); }),
              HasSubstr("not an HDF5 file"));
}

}  // namespace
}  // namespace impasto::weights_file_test
