// SPDX-License-Identifier: MIT
#include "weights/convert.hpp"

#include <cmath>
#include <gmock/gmock.h>

#include "host/core/digest.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "tests/weights/fixtures.hpp"
#include "tests/weights/mat_bytes.hpp"
#include "tests/weights/published_files.hpp"
#include "weights/hdf5_handle.hpp"
#include "weights/published.hpp"
#include "weights/weights_file.hpp"

namespace impasto::convert_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// All sixteen layers, made once.
const Weights& full_network() {
  static const Weights weights = [] {
    Weights made = pattern_weights("conv5_4");
    made.mean = {120, 110, 100};
    return made;
  }();
  return weights;
}

class Convert : public ::testing::Test {
 protected:
  /// Converts a source with the full network and looks at all that comes out of it.
  void expect_conversion(std::array<float, 3> mean, std::string_view format) {
    std::uint64_t hashed = 0;
    std::uint64_t layers = 0;
    const auto note = [&](const ConvertProgress& progress) {
      if (progress.stage == "hashing") hashed = progress.done;
      if (progress.stage == "converting") layers += progress.done == layers + 1 ? 1 : 0;
      EXPECT_LE(progress.done, progress.total);
    };
    const ConversionReport report = convert_weights(in_, out_, Preparation::automatic, note);
    EXPECT_EQ(hashed, std::filesystem::file_size(in_));
    EXPECT_EQ(layers, 16U);
    EXPECT_EQ(report.header.mean, mean);
    EXPECT_EQ(report.source_format, format);
    EXPECT_EQ(report.known, nullptr);
    EXPECT_EQ(report.header.origin.source_file, "source");
    EXPECT_EQ(report.header.origin.source_sha256, sha256_file(in_));
    EXPECT_EQ(report.header.origin.source_md5.size(), 32U);

    const Weights converted = load_weights(out_);
    expect_same_layers(converted, full_network());
    EXPECT_EQ(converted.mean, mean);
    EXPECT_EQ(converted.description, "VGG-19 from source");
    EXPECT_EQ(converted.origin.source_sha256, report.header.origin.source_sha256);
  }

  /// The layers that a .mat file has, without writing them out.
  Weights read_layers() {
    Weights weights;
    const LayerSink keep = [&](const VggLayer& layer, ConvParameters parameters) {
      weights.convs.push_back({std::string(layer.name), std::move(parameters)});
    };
    const PublishedTraits traits = read_matconvnet({in_, max_weights_bytes}, keep);
    assumption_ = traits.assumption;
    weights.mean = traits.network.mean;
    return weights;
  }

  void expect_layers(const Weights& expected) {
    const Weights found = read_layers();
    expect_same_layers(found, expected);
    EXPECT_EQ(found.mean, expected.mean);
  }

  std::string refusal(ErrorKind kind = ErrorKind::weights) {
    return message_of(kind, [&] { convert_weights(in_, out_); });
  }

  std::string assumption_;  ///< of read_layers()
  TemporaryFolder folder_;
  std::string in_ = folder_.file("source");
  std::string out_ = folder_.file("out.h5");
};

TEST_F(Convert, GivesTheLayersOfMatConvNet) {
  write_all(in_, matconvnet_bytes(full_network(), MatLayout::latest));
  expect_conversion(full_network().mean, "MatConvNet (MATLAB level 5)");
}

// Values of conv1_1 that others printed from the published file, as
// W[row][column][channel][filter]; Keras' file has the same numbers under the reversed channel.
TEST_F(Convert, PutsPublishedValuesWhereTheyBelong) {
  struct Printed {
    std::size_t row, column, channel, filter;
    float value;
  };
  constexpr std::array<Printed, 8> printed = {{{0, 0, 0, 0, 0.39416704F},
                                               {0, 0, 0, 63, 0.04690642F},
                                               {0, 0, 1, 0, 0.46418372F},
                                               {0, 0, 2, 0, 0.34119523F},
                                               {0, 1, 0, 0, 0.37740308F},
                                               {1, 0, 0, 0, 0.2671299F},
                                               {2, 2, 2, 0, -0.33683276F},
                                               {2, 2, 0, 0, -0.41602272F}}};
  std::vector<float> matlab(1728);  // first axis fastest
  std::vector<float> keras(1728);   // last axis fastest
  for (const auto& [row, column, channel, filter, value] : printed) {
    matlab[row + 3 * (column + 3 * (channel + 3 * filter))] = value;
    keras[((row * 3 + column) * 3 + 2 - channel) * 64 + filter] = value;
  }
  const auto expect_values = [&](const ConvParameters& conv) {
    for (const auto& [row, column, channel, filter, value] : printed) {
      EXPECT_EQ(conv.weight[((filter * 3 + row) * 3 + column) * 3 + channel], value);
    }
  };

  using Field = std::pair<std::string, std::string>;
  const std::string both =
      mat::cell(std::array{mat::numbers(std::array{3, 3, 3, 64}, matlab),
                           mat::numbers(std::array{64, 1}, std::vector<float>(64))});
  const std::string layer =
      mat::record(std::array<Field, 2>{{{"name", mat::text("conv1_1")}, {"weights", both}}});
  write_all(in_, mat::file_header() + mat::cell(std::array{layer}, "layers"));
  expect_values(read_layers().convs.at(0).parameters);

  write_keras(pattern_weights("conv1_1"), in_, KerasNaming::flat);
  {
    const Hdf5FileId file(H5Fopen(in_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const Hdf5Dataset kernel(H5Dopen2(file.get(), "/block1_conv1/block1_conv1_W_1:0", H5P_DEFAULT));
    H5Dwrite(kernel.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, keras.data());
  }
  int layers = 0;
  const LayerSink sink = [&](const VggLayer&, const ConvParameters& conv) {
    expect_values(conv);
    ++layers;
  };
  // It ends at the second layer, which is not there.
  const auto read = [&] { read_keras({in_, max_weights_bytes}, sink); };
  EXPECT_THAT(message_of(ErrorKind::weights, read), HasSubstr("/block1_conv2 is missing"));
  EXPECT_EQ(layers, 1);
}

TEST_F(Convert, UnderstandsEveryLayoutOfMatConvNet) {
  Weights weights = pattern_weights("conv2_2");
  weights.mean = {120, 110, 100};
  for (const MatLayout layout : {MatLayout::oldest, MatLayout::beta16, MatLayout::latest}) {
    write_all(in_, matconvnet_bytes(weights, layout));
    expect_layers(weights);
  }
}

TEST_F(Convert, ReadsWhatMatioWrites) {
  Weights weights = pattern_weights("conv2_2");
  weights.mean = {120, 110, 100};
  for (const bool compressed : {false, true}) {
    write_with_matio(weights, in_, compressed);
    expect_layers(weights);
  }
}

TEST_F(Convert, TakesThePublishedMeanWhereAFileHasNoneAndSaysSo) {
  write_all(in_, mat::file_header() + mat::cell({}, "layers"));
  EXPECT_EQ(read_layers().mean, vgg_mean);
  EXPECT_THAT(assumption_, HasSubstr("no mean pixel"));

  std::string bytes = matconvnet_bytes(full_network(), MatLayout::latest);
  bytes.replace(bytes.find("averageImage"), 12, "anotherImage");
  write_all(in_, bytes);
  const ConversionReport report = convert_weights(in_, out_);
  EXPECT_EQ(report.header.mean, vgg_mean);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("no mean pixel; the published one is taken")));
}

TEST_F(Convert, GivesTheLayersOfVgg16) {
  const Weights expected = vgg16_of(full_network());
  const auto expect_vgg16 = [&] {
    convert_weights(in_, out_);
    const Weights found = load_weights(out_);
    EXPECT_EQ(found.layers, &vgg16);
    EXPECT_EQ(found.description, "VGG-16 from source");
    expect_same_layers(found, expected);
  };
  for (const KerasNaming naming : {KerasNaming::flat, KerasNaming::numbered}) {
    write_keras(expected, in_, naming);
    expect_vgg16();
  }
  write_with_matio(expected, in_, false);
  expect_vgg16();
}

TEST_F(Convert, NamesTheOneLayerThatVgg19Lacks) {
  Weights weights = full_network();
  std::erase_if(weights.convs, [](const NamedConv& conv) { return conv.name == "conv3_4"; });
  write_keras(weights, in_, KerasNaming::flat);
  EXPECT_THAT(refusal(), HasSubstr("conv3_4 is missing"));
  write_with_matio(weights, in_, false);
  EXPECT_THAT(refusal(), HasSubstr("conv3_4 is missing"));
}

TEST_F(Convert, SaysHowToSaveANetThatIsOneVariable) {
  const std::array<std::pair<std::string, std::string>, 1> layers = {{{"layers", mat::cell({})}}};
  write_all(in_, mat::file_header() + mat::record(layers, "net"));
  EXPECT_THAT(refusal(), HasSubstr("save('vgg19.mat', '-struct', 'net', '-v7')"));
}

TEST_F(Convert, RefusesAMeanThatTheReaderWouldRefuse) {
  for (const float value : {-1.0F, 300.0F, std::nanf(""), 1e30F}) {
    Weights weights = full_network();
    weights.mean = {100, value, 100};
    write_all(in_, matconvnet_bytes(weights, MatLayout::latest));
    EXPECT_THAT(refusal(), HasSubstr("averageImage has the mean 100, "));
    EXPECT_THAT(folder_.list(), ElementsAre("source"));
  }
}

TEST_F(Convert, GivesKerasLayersInRgbAsPublished) {
  write_keras(full_network(), in_, KerasNaming::flat);
  expect_conversion(vgg_mean, "Keras (HDF5)");
}

TEST_F(Convert, GivesKerasLayersInRgbAsSavedAgain) {
  write_keras(full_network(), in_, KerasNaming::nested);
  expect_conversion(vgg_mean, "Keras (HDF5)");
}

TEST_F(Convert, GivesKerasLayersInRgbFromAWholeModelWithoutLists) {
  write_keras(full_network(), in_, KerasNaming::model);
  expect_conversion(vgg_mean, "Keras (HDF5)");
}

TEST_F(Convert, GivesKerasLayersInRgbAsKeras3NumbersThem) {
  write_keras(full_network(), in_, KerasNaming::numbered);
  expect_conversion(vgg_mean, "Keras (HDF5)");
}

TEST_F(Convert, ReadsTheArchiveThatKeras3Saves) {
  write_keras(full_network(), in_, KerasNaming::numbered);
  const std::string h5 = read_all(in_);
  write_all(in_, zip::archive(std::array<zip::Entry, 3>{
                     {{"metadata.json", "{}"}, {"config.json", "{}"}, {"model.weights.h5", h5}}}));
  expect_conversion(vgg_mean, "Keras (HDF5), model.weights.h5");
}

TEST_F(Convert, NamesAnotherNetworkOfKeras) {
  write_keras(pattern_weights("conv1_1"), in_, KerasNaming::flat);
  {
    const Hdf5FileId file(H5Fopen(in_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    H5Lmove(file.get(), "/block1_conv1", file.get(), "/conv2_block1_1_conv", H5P_DEFAULT,
            H5P_DEFAULT);
  }
  EXPECT_THAT(refusal(), HasSubstr("expected VGG-19 or VGG-16; it holds ResNet"));
}

TEST_F(Convert, NamesTheLayerThatIsMissing) {
  write_all(in_, matconvnet_bytes(pattern_weights("conv1_2"), MatLayout::latest));
  EXPECT_THAT(refusal(), HasSubstr("conv2_1 is missing"));
  write_keras(pattern_weights("conv1_2"), in_, KerasNaming::flat);
  EXPECT_THAT(refusal(), HasSubstr("/block2_conv1 is missing"));
  EXPECT_THAT(folder_.list(), ElementsAre("source"));
}

TEST_F(Convert, RefusesValuesThatAreNotNumbers) {
  Weights weights = pattern_weights("conv1_2");
  weights.convs[1].parameters.weight[5] = std::numeric_limits<float>::quiet_NaN();
  write_all(in_, matconvnet_bytes(weights, MatLayout::latest));
  EXPECT_THAT(refusal(), HasSubstr("conv1_2 holds nan; expected finite values"));
  write_keras(weights, in_, KerasNaming::flat);
  EXPECT_THAT(refusal(), HasSubstr("/block1_conv2/block1_conv2_W_1:0 holds nan"));
}

TEST_F(Convert, RefusesKerasWeightsOfTheOtherAxisOrder) {
  write_keras(pattern_weights("conv1_1"), in_, KerasNaming::nested);
  {
    const Hdf5FileId file(H5Fopen(in_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const char* name = "/block1_conv1/block1_conv1/kernel:0";
    H5Ldelete(file.get(), name, H5P_DEFAULT);
    const std::array<hsize_t, 4> shape = {64, 3, 3, 3};
    const Hdf5Space space(H5Screate_simple(4, shape.data(), nullptr));
    Hdf5Dataset(H5Dcreate2(file.get(), name, H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT,
                           H5P_DEFAULT));
  }
  EXPECT_THAT(refusal(), HasSubstr("expected (3, 3, 3, 64), found (64, 3, 3, 3)"));
}

TEST_F(Convert, RefusesAKerasFileThatLinksElsewhere) {
  write_keras(pattern_weights("conv1_1"), in_, KerasNaming::flat);
  {
    const Hdf5FileId file(H5Fopen(in_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    H5Ldelete(file.get(), "/block1_conv1", H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/", file.get(), "/block1_conv1", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_THAT(refusal(), HasSubstr("/block1_conv1 is an external link"));
}

TEST_F(Convert, RefusesWhatIsNoWeightFile) {
  write_all(in_, "");
  EXPECT_THAT(refusal(), HasSubstr("the file is empty"));
  write_all(in_, "neither");
  EXPECT_THAT(refusal(), HasSubstr("of no kind that is read here but a text"));
  write_all(in_, "<!DOCTYPE html><title>Not found</title>");
  EXPECT_THAT(refusal(), HasSubstr("of no kind that is read here but a web page"));
  write_all(in_, "PK\x03\x04 and so on");
  EXPECT_THAT(refusal(), HasSubstr("the archive is cut short"));
  in_ = folder_.path().string();
  EXPECT_THAT(refusal(), HasSubstr("found a directory"));
  in_ = folder_.file("absent");
  EXPECT_THAT(refusal(), HasSubstr("No such file"));
}

TEST_F(Convert, RefusesMatlab73WhateverItsHeaderSays) {
  std::string file = "MATLAB 7.3 MAT-file";
  file.resize(124, ' ');
  file += std::string("\x00\x02IM", 4);
  file.resize(512, '\0');
  write_all(in_, file + "\x89HDF\r\n\x1a\n and more");
  EXPECT_THAT(refusal(), HasSubstr("MATLAB 7.3 file; expected level 5"));
  file[125] = 1;  // disguised as level 5
  write_all(in_, file + "\x89HDF\r\n\x1a\n and more");
  EXPECT_THAT(refusal(), HasSubstr("MATLAB 7.3 file; expected level 5"));
}

TEST_F(Convert, RefusesImpastosOwnFormatAndItselfAsTarget) {
  save_weights(pattern_weights("conv1_1"), out_);
  write_all(in_, read_all(out_));
  EXPECT_THAT(refusal(), HasSubstr("in Impasto's format already"));
  in_ = out_;
  EXPECT_THAT(refusal(ErrorKind::usage), HasSubstr("onto itself"));
}

TEST_F(Convert, SaysThatTheTargetCannotBeWritten) {
  write_all(in_, matconvnet_bytes(pattern_weights("conv1_1"), MatLayout::latest));
  out_ = folder_.file("missing/out.h5");
  EXPECT_THAT(refusal(ErrorKind::output), HasSubstr("No such file or directory"));
}

TEST(KnownFiles, AreRecognisedByTheHashThatWasPublished) {
  const KnownFile* latest = find_known_file(
      "abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695", "another");
  ASSERT_NE(latest, nullptr);
  EXPECT_EQ(latest->publisher, "MatConvNet");
  const KnownFile* keras = find_known_file("any", "253f8cb515780f3b799900260a226db6");
  ASSERT_NE(keras, nullptr);
  EXPECT_EQ(keras->publisher, "Keras");
  EXPECT_NE(find_known_file("any", "cbe5617147190e668d6c5d5026f83318"), nullptr);
  EXPECT_NE(find_known_file("any", "49e623de543b207d57fab0f6eaf79a7e"), nullptr);
  // A file made to have the MD5 of one whose SHA-256 is known.
  EXPECT_EQ(find_known_file("another", "106118b7cf60435e6d8e04f6a6dc3657"), nullptr);
  EXPECT_EQ(find_known_file("", ""), nullptr);
  // PyTorch's files have the first eight digits in their names.
  const KnownFile* johnson = find_known_file("d01eb7cb" + std::string(56, '0'), "");
  ASSERT_NE(johnson, nullptr);
  EXPECT_EQ(johnson->name, "vgg19-d01eb7cb.pth");
}

}  // namespace
}  // namespace impasto::convert_test
