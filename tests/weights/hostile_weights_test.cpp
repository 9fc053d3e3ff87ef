// SPDX-License-Identifier: MIT
// Weight files made to deceive: each is a good file with one thing changed, and each must be
// refused with a sentence that names what is wrong.
#include <array>
#include <cmath>
#include <cstring>
#include <gmock/gmock.h>
#include <limits>
#include <numeric>
#include <sys/stat.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/hdf5_handle.hpp"
#include "weights/weights_file.hpp"

namespace impasto::hostile_weights_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<hsize_t, 4> conv1_1_shape = {64, 3, 3, 3};
constexpr std::size_t conv1_1_size = 64UL * 3 * 3 * 3;

class HostileWeights : public ::testing::Test {
 protected:
  HostileWeights() { save_weights(pattern_weights("conv1_2"), path_); }

  /// Opens the good file for changes.
  Hdf5FileId edit() { return Hdf5FileId(H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)); }

  /// Puts a dataset with these properties in the place of conv1_1's weight.
  Hdf5Dataset replace_weight(const Hdf5FileId& file, std::span<const hsize_t> shape,
                             const Hdf5Properties& properties, hid_t type = H5T_IEEE_F32LE) {
    H5Ldelete(file.get(), "/conv1_1/weight", H5P_DEFAULT);
    const Hdf5Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    return Hdf5Dataset(H5Dcreate2(file.get(), "/conv1_1/weight", type, space.get(), H5P_DEFAULT,
                                  properties.get(), H5P_DEFAULT));
  }

  static Hdf5Properties dataset_properties() {
    return Hdf5Properties(H5Pcreate(H5P_DATASET_CREATE));
  }

  static void write_ones(const Hdf5Dataset& dataset) {
    const std::vector<float> ones(conv1_1_size, 1.0F);
    ASSERT_GE(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones.data()),
              0);
  }

  /// Gives an attribute of three numbers other ones.
  void set_numbers(const char* name, const std::array<float, 3>& values) {
    const Hdf5FileId file = edit();
    const Hdf5Attribute attribute(H5Aopen(file.get(), name, H5P_DEFAULT));
    ASSERT_GE(H5Awrite(attribute.get(), H5T_NATIVE_FLOAT, values.data()), 0);
  }

  std::string refusal() {
    return message_of(ErrorKind::weights, [&] { load_weights(path_, "conv1_2"); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("w.h5");
};

TEST_F(HostileWeights, AreRefusedWhileTheGoodFileIsRead) { EXPECT_EQ(refusal(), "no error"); }

TEST_F(HostileWeights, WithAWeightOfTheWrongShape) {
  replace_weight(edit(), std::array<hsize_t, 4>{64, 3, 3, 4}, dataset_properties());
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("/conv1_1/weight has the wrong shape"),
                               HasSubstr("expected (64, 3, 3, 3), found (64, 3, 3, 4)")));
}

TEST_F(HostileWeights, WithTheAxesOfAnotherSystem) {
  replace_weight(edit(), std::array<hsize_t, 4>{3, 3, 3, 64}, dataset_properties());
  EXPECT_THAT(refusal(), HasSubstr("expected (64, 3, 3, 3), found (3, 3, 3, 64)"));
}

TEST_F(HostileWeights, DeclaringMoreThanAnyMemoryHolds) {
  replace_weight(edit(), std::array<hsize_t, 4>{1UL << 20U, 3, 3, 1UL << 20U},
                 dataset_properties());
  EXPECT_THAT(refusal(), HasSubstr("has the wrong shape"));
}

TEST_F(HostileWeights, WithoutALayer) {
  H5Ldelete(edit().get(), "/conv1_1", H5P_DEFAULT);
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1 is missing"));
}

TEST_F(HostileWeights, WithoutABias) {
  H5Ldelete(edit().get(), "/conv1_2/bias", H5P_DEFAULT);
  EXPECT_THAT(refusal(), HasSubstr("/conv1_2/bias is missing"));
}

TEST_F(HostileWeights, WithALayerThatIsNoGroup) {
  {
    const Hdf5FileId file = edit();
    H5Lmove(file.get(), "/conv1_1/weight", file.get(), "/moved", H5P_DEFAULT, H5P_DEFAULT);
    H5Ldelete(file.get(), "/conv1_1", H5P_DEFAULT);
    H5Lmove(file.get(), "/moved", file.get(), "/conv1_1", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1 is not a group"));
}

TEST_F(HostileWeights, WithAGroupInPlaceOfAWeight) {
  {
    const Hdf5FileId file = edit();
    H5Ldelete(file.get(), "/conv1_1/weight", H5P_DEFAULT);
    const Hdf5Group group(
        H5Gcreate2(file.get(), "/conv1_1/weight", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/weight is not a dataset"));
}

TEST_F(HostileWeights, WithObjectsThatDoNotBelongThere) {
  Hdf5Group(H5Gcreate2(edit().get(), "/extra", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_THAT(refusal(), HasSubstr("/extra does not belong here"));
}

TEST_F(HostileWeights, WithMoreObjectsThanCouldBelongThere) {
  {
    const Hdf5FileId file = edit();
    for (int i = 0; i < 300; ++i) {
      const std::string name = fmt::format("/extra{}", i);
      Hdf5Group(H5Gcreate2(file.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
  }
  EXPECT_THAT(refusal(), HasSubstr("holds more than 256 objects"));
}

TEST_F(HostileWeights, WithAGroupThatContainsItself) {
  H5Lcreate_hard(edit().get(), "/conv1_1", H5L_SAME_LOC, "/conv1_1/loop", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/loop does not belong here"));
}

TEST_F(HostileWeights, WithASoftLink) {
  {
    const Hdf5FileId file = edit();
    H5Ldelete(file.get(), "/conv1_1/bias", H5P_DEFAULT);
    H5Lcreate_soft("/conv1_2/bias", file.get(), "/conv1_1/bias", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/bias is a soft link"));
}

TEST_F(HostileWeights, WithAnExternalLink) {
  save_weights(pattern_weights("conv1_1"), folder_.file("other.h5"));
  {
    const Hdf5FileId file = edit();
    H5Ldelete(file.get(), "/conv1_1", H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/conv1_1", file.get(), "/conv1_1", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1 is an external link"));
}

TEST_F(HostileWeights, WithExternalStorageDoNotGiveAnotherFilesBytes) {
  const std::string secret = folder_.file("secret");
  write_all(secret, std::string(conv1_1_size * sizeof(float), '\x3c'));
  {
    const Hdf5Properties properties = dataset_properties();
    H5Pset_external(properties.get(), secret.c_str(), 0, conv1_1_size * sizeof(float));
    const Hdf5FileId file = edit();
    ASSERT_TRUE(replace_weight(file, conv1_1_shape, properties));
    // HDF5 itself would hand the bytes out.
    const Hdf5Dataset dataset(H5Dopen2(file.get(), "/conv1_1/weight", H5P_DEFAULT));
    std::vector<float> stolen(conv1_1_size);
    ASSERT_GE(
        H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, stolen.data()), 0);
    std::array<char, 4> bytes{};
    std::memcpy(bytes.data(), stolen.data(), bytes.size());
    ASSERT_EQ(bytes[0], '\x3c');
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/weight has external storage"));
}

TEST_F(HostileWeights, WithAVirtualDataset) {
  {
    const Hdf5Space space(H5Screate_simple(4, conv1_1_shape.data(), nullptr));
    const Hdf5Properties properties = dataset_properties();
    H5Pset_virtual(properties.get(), space.get(), "other.h5", "/conv1_1/weight", space.get());
    ASSERT_TRUE(replace_weight(edit(), conv1_1_shape, properties));
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/weight is a virtual dataset"));
}

TEST_F(HostileWeights, StoredWithAFilterThatWouldBeAPlugin) {
  {
    const Hdf5Properties properties = dataset_properties();
    H5Pset_chunk(properties.get(), 4, conv1_1_shape.data());
    H5Pset_filter(properties.get(), 32015, H5Z_FLAG_OPTIONAL, 0, nullptr);
    ASSERT_TRUE(replace_weight(edit(), conv1_1_shape, properties));
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv1_1/weight is stored compressed or in pieces"));
}

TEST_F(HostileWeights, WithACompressedChunkThatUnfoldsToTheWrongSize) {
  {
    const Hdf5Properties properties = dataset_properties();
    H5Pset_chunk(properties.get(), 4, conv1_1_shape.data());
    H5Pset_deflate(properties.get(), 9);
    const Hdf5Dataset dataset = replace_weight(edit(), conv1_1_shape, properties);
    // A zlib stream of four zero bytes, for which HDF5 returns whatever lies behind them in memory.
    const std::string chunk("\x78\x9c\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
    const std::array<hsize_t, 4> origin{};
    ASSERT_GE(
        H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, origin.data(), chunk.size(), chunk.data()),
        0);
  }
  EXPECT_THAT(refusal(), HasSubstr("expected plain, contiguous values"));
}

TEST_F(HostileWeights, NeverWritten) {
  ASSERT_TRUE(replace_weight(edit(), conv1_1_shape, dataset_properties()));
  EXPECT_THAT(refusal(), HasSubstr("is incomplete: expected 6912 bytes within the file, found 0"));
}

TEST_F(HostileWeights, OfAnotherType) {
  write_ones(replace_weight(edit(), conv1_1_shape, dataset_properties(), H5T_IEEE_F64LE));
  EXPECT_THAT(refusal(), HasSubstr("expected float32, found floating point of 8 bytes"));
  write_ones(replace_weight(edit(), conv1_1_shape, dataset_properties(), H5T_STD_I32LE));
  EXPECT_THAT(refusal(), HasSubstr("expected float32, found integers of 4 bytes"));
  const Hdf5Type record(H5Tcreate(H5T_COMPOUND, 4));
  H5Tinsert(record.get(), "x", 0, H5T_IEEE_F32LE);
  ASSERT_TRUE(replace_weight(edit(), conv1_1_shape, dataset_properties(), record.get()));
  EXPECT_THAT(refusal(), HasSubstr("expected float32, found records of 4 bytes"));
}

TEST_F(HostileWeights, WithValuesThatAreNotNumbersOrTooLarge) {
  for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity(), -1e4F}) {
    std::vector<float> values(conv1_1_size, 1.0F);
    values[17] = value;
    {
      const Hdf5FileId file = edit();
      const Hdf5Dataset dataset(H5Dopen2(file.get(), "/conv1_1/weight", H5P_DEFAULT));
      ASSERT_GE(
          H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
          0);
    }
    EXPECT_THAT(refusal(), HasSubstr("at position 17; expected finite values below 10000"));
  }
}

TEST_F(HostileWeights, OfAnotherFormatVersionOrNetwork) {
  const auto set_text = [&](const char* name, const char* text) {
    const Hdf5FileId file = edit();
    H5Adelete(file.get(), name);
    const Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), std::strlen(text) + 1);
    const Hdf5Space space(H5Screate(H5S_SCALAR));
    const Hdf5Attribute attribute(
        H5Acreate2(file.get(), name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
    H5Awrite(attribute.get(), type.get(), text);
  };
  set_text("network", "VGG-16\x1b[2J");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("network = 'VGG-16?[2J'; expected 'VGG-19'"),
                               Not(HasSubstr("\x1b"))));
  set_text("network", "VGG-19");
  set_text("pooling", "max 3x3");
  EXPECT_THAT(refusal(),
              HasSubstr("pooling = 'max 3x3'; expected 'avg' or 'max' or 'l2' or 'max-blur'"));
  set_text("pooling", "max");
  set_text("channel_order", "BGR");
  EXPECT_THAT(refusal(), HasSubstr("channel_order = 'BGR'; expected 'RGB'"));
  set_text("format_version", "1");
  EXPECT_THAT(refusal(), HasSubstr("'format_version' that does not hold numbers"));
  H5Adelete(edit().get(), "format_version");
  EXPECT_THAT(refusal(), HasSubstr("lacks the attribute 'format_version'"));
}

TEST_F(HostileWeights, WithAMeanPixelThatIsNoPixel) {
  for (const float value : {-1.0F, 300.0F, std::nanf("")}) {
    set_numbers("mean_pixel", {100, value, 100});
    EXPECT_THAT(refusal(), HasSubstr("lacks the attribute 'mean_pixel'"));
  }
}

TEST_F(HostileWeights, WithADeviationThatNoPixelsHave) {
  for (const float value : {0.0F, -58.0F, 1e-30F, 1e30F, std::nanf("")}) {
    set_numbers("deviation_pixel", {58, value, 58});
    EXPECT_THAT(refusal(), HasSubstr("lacks the attribute 'deviation_pixel'"));
  }
}

TEST_F(HostileWeights, OfVgg16WithALayerOfVgg19) {
  Weights weights = pattern_weights("conv1_2", vgg16);
  save_weights(weights, path_);
  {
    const Hdf5FileId file = edit();
    const Hdf5Group group(H5Gcreate2(file.get(), "conv3_4", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_TRUE(group);
  }
  EXPECT_THAT(refusal(), HasSubstr("/conv3_4 does not belong here; expected only VGG-16's layers"));
}

TEST_F(HostileWeights, CutShortAnywhere) {
  const std::string whole = read_all(path_);
  for (std::size_t length = 1; length < whole.size(); length = length * 3 / 2 + 1) {
    write_all(path_, whole.substr(0, length));
    EXPECT_THAT(refusal(), HasSubstr(path_)) << length;
  }
  write_all(path_, whole.substr(0, whole.size() - 1));
  EXPECT_THAT(refusal(), HasSubstr("truncated file"));
}

TEST_F(HostileWeights, ThatAreNoWeightFileAtAll) {
  write_all(path_, "");
  EXPECT_THAT(refusal(), HasSubstr("the file is empty"));
  write_all(path_, "not HDF5, whatever it says");
  EXPECT_THAT(refusal(), HasSubstr("not an HDF5 file but a text"));
  write_all(path_, "\x89HDF\r\n\x1a\n and nothing more");
  EXPECT_THAT(refusal(), HasSubstr("cannot be read as HDF5"));
  std::string matlab(128, ' ');
  matlab.replace(124, 4, std::string("\x00\x01IM", 4));
  write_all(path_, matlab);
  EXPECT_THAT(refusal(), HasSubstr("convert them first"));
  matlab.replace(124, 4, std::string("\x00\x02IM", 4));
  write_all(path_, matlab);
  EXPECT_THAT(refusal(), HasSubstr("MATLAB 7.3"));
}

TEST_F(HostileWeights, ThatAreNotThereOrNotAFile) {
  path_ = folder_.file("absent.h5");
  EXPECT_THAT(refusal(), HasSubstr("No such file or directory"));
  path_ = folder_.path().string();
  EXPECT_THAT(refusal(), HasSubstr("expected a file, found a directory"));
  path_ = folder_.file("pipe");
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("found a device or pipe"));
}

// Bytes are changed one at a time; whatever HDF5 makes of them, only an Error may come out.
TEST_F(HostileWeights, WithAnyByteOfTheMetadataChanged) {
  const std::string whole = read_all(path_);
  int refused = 0;
  for (std::size_t i = 0; i < 4096; i += 7) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    write_all(path_, changed);
    const std::string message = refusal();
    EXPECT_THAT(message, Not(HasSubstr("another")));
    if (message != "no error") ++refused;
  }
  EXPECT_GT(refused, 50);
}

TEST_F(HostileWeights, OfTheOtherByteOrderAreNoneAndAreRead) {
  {
    const Hdf5FileId file = edit();
    const Hdf5Dataset dataset =
        replace_weight(file, conv1_1_shape, dataset_properties(), H5T_IEEE_F32BE);
    const Weights good = pattern_weights("conv1_1");
    ASSERT_GE(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       good.convs[0].parameters.weight.data()),
              0);
  }
  expect_same_layers(load_weights(path_, "conv1_2"), pattern_weights("conv1_2"));
}

}  // namespace
}  // namespace impasto::hostile_weights_test
