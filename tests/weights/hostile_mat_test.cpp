// SPDX-License-Identifier: MIT
// MATLAB files made to deceive or damaged on the way.
#include <array>
#include <chrono>
#include <gmock/gmock.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "tests/weights/mat_bytes.hpp"
#include "tests/weights/published_files.hpp"
#include "weights/convert.hpp"
#include "weights/mat.hpp"

namespace impasto::hostile_mat_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Field = std::pair<std::string, std::string>;

class HostileMat : public ::testing::Test {
 protected:
  /// What the converter says to a file with these variables.
  std::string refusal(const std::string& variables) {
    write_all(in_, mat::file_header() + variables);
    return refusal_of_file();
  }

  std::string refusal_of_file() {
    const std::string message =
        message_of(ErrorKind::weights, [&] { convert_weights(in_, folder_.file("out.h5")); });
    EXPECT_THAT(folder_.list(), ElementsAre("source.mat"));
    EXPECT_THAT(message, HasSubstr(in_));
    return message;
  }

  /// A file whose only layer is conv1_1 with this filter and this bias.
  std::string refusal_of_layer(const std::string& filter, const std::string& bias) {
    const std::string both = mat::cell(std::array{filter, bias});
    const std::string layer =
        mat::record(std::array<Field, 2>{{{"weights", both}, {"name", mat::text("conv1_1")}}});
    return refusal(mat::cell(std::array{layer}, "layers"));
  }

  static std::string filter(std::array<std::int32_t, 4> shape) {
    return mat::numbers(shape, std::vector<float>(1728, 0.5F));
  }
  static std::string bias() { return mat::numbers(std::array{1, 64}, std::vector<float>(64)); }

  /// An array of this shape whose data are these bytes of float32.
  static std::string shaped(std::span<const std::int32_t> shape, std::size_t bytes) {
    return mat::array(mat::single_class, shape, "",
                      mat::element(mat::single_type, std::string(bytes, '\0')));
  }

  TemporaryFolder folder_;
  std::string in_ = folder_.file("source.mat");
};

TEST_F(HostileMat, WithAGoodFirstLayerIsReadUpToTheOneMissing) {
  EXPECT_THAT(refusal_of_layer(filter({3, 3, 3, 64}), bias()), HasSubstr("conv1_2 is missing"));
}

TEST_F(HostileMat, WithFiltersOrBiasesOfTheWrongShape) {
  EXPECT_THAT(refusal_of_layer(filter({64, 3, 3, 3}), bias()),
              AllOf(HasSubstr("conv1_1 has filters of the wrong shape"),
                    HasSubstr("expected numbers of (3, 3, 3, 64), found (64, 3, 3, 3)")));
  EXPECT_THAT(refusal_of_layer(filter({3, 3, 3, 64}),
                               mat::numbers(std::array{1, 3}, std::array{1.0F, 2.0F, 3.0F})),
              HasSubstr("conv1_1 has biases of the wrong shape or kind: expected 64 numbers"));
  EXPECT_THAT(refusal_of_layer(mat::text("not numbers"), bias()), HasSubstr("wrong shape or kind"));
}

TEST_F(HostileMat, WithALayerWithoutParameters) {
  const std::string layer = mat::record(std::array<Field, 1>{{{"name", mat::text("conv1_1")}}});
  EXPECT_THAT(refusal(mat::cell(std::array{layer}, "layers")),
              HasSubstr("conv1_1 has neither 'weights'"));
}

TEST_F(HostileMat, WithALayerTwice) {
  Weights weights = pattern_weights("conv1_1");
  weights.convs.push_back(weights.convs[0]);
  write_with_matio(weights, in_, false);
  EXPECT_THAT(refusal_of_file(), HasSubstr("conv1_1 is there twice"));
}

TEST_F(HostileMat, OfAnotherNetworkNamesItsLayers) {
  const auto layer = [](const char* name) {
    return mat::record(std::array<Field, 1>{{{"name", mat::text(name)}}});
  };
  EXPECT_THAT(
      refusal(mat::cell(std::array{layer("conv1"), layer("norm1")}, "layers")),
      HasSubstr("expected VGG-19's or VGG-16's layers, conv1_1 and so on; found conv1, norm1"));
}

TEST_F(HostileMat, WithoutLayers) {
  EXPECT_THAT(refusal(""), HasSubstr("expected a variable 'layers'"));
  EXPECT_THAT(refusal(mat::cell(std::array{bias()}, "other")),
              HasSubstr("expected a variable 'layers'"));
}

TEST_F(HostileMat, WithAMeanThatIsNone) {
  const std::string layers = mat::cell({}, "layers");
  const auto with_mean = [&](const std::string& mean) {
    return layers + mat::record(std::array<Field, 1>{{{"averageImage", mean}}}, "normalization");
  };
  EXPECT_THAT(refusal(with_mean(bias())), HasSubstr("averageImage is no mean pixel or image"));
  EXPECT_THAT(refusal(with_mean(mat::text("abc"))), HasSubstr("averageImage is no mean pixel"));
}

TEST_F(HostileMat, DeclaringAnAbsurdShape) {
  const std::array<std::int32_t, 4> huge = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  EXPECT_THAT(refusal_of_layer(shaped(huge, 64), bias()), HasSubstr("absurd shape"));
  EXPECT_THAT(refusal_of_layer(shaped(std::array{-1, 4}, 64), bias()),
              HasSubstr("absurd shape, a side of -1"));
  EXPECT_THAT(refusal_of_layer(shaped(std::array{1 << 30, 1}, 64), bias()),
              HasSubstr("has an array of 1073741824 values in 64 bytes"));
}

TEST_F(HostileMat, DeclaringMoreCellsThanThereAre) {
  const std::array<std::int32_t, 2> many = {1, 1 << 30};
  EXPECT_THAT(refusal(mat::array(mat::cell_class, many, "layers", bias())),
              HasSubstr("'layers' has an element of 8 bytes where 0 are left"));
  // Empty cells take 8 bytes each.
  std::string empty;
  for (int i = 0; i < 30'000; ++i) empty += std::string("\x0e\0\0\0\0\0\0\0", 8);
  EXPECT_THAT(refusal(mat::array(mat::cell_class, many, "layers", empty)),
              HasSubstr("'layers' has more than 20000 elements"));
}

TEST_F(HostileMat, NestedAThousandDeep) {
  std::string cells = bias();
  for (int i = 0; i < 100; ++i) cells = mat::cell(std::array{cells});
  EXPECT_THAT(refusal(mat::cell(std::array{cells}, "layers")),
              HasSubstr("nested more than 16 deep"));
  for (int i = 0; i < 900; ++i) cells = mat::cell(std::array{cells});
  EXPECT_THAT(refusal(mat::cell(std::array{cells}, "layers")),
              HasSubstr("nested more than 16 deep"));
}

TEST_F(HostileMat, WithAnElementLargerThanTheOneAroundIt) {
  std::string inner = bias();
  inner[4] = '\x7f';
  inner[5] = '\x7f';
  EXPECT_THAT(refusal(mat::cell(std::array{inner}, "layers")),
              HasSubstr("'layers' has an element of 32639 bytes where"));
}

TEST_F(HostileMat, WithElementsOfTheWrongType) {
  EXPECT_THAT(refusal(mat::element(mat::single_type, "12345678")),
              HasSubstr("an element of type 7; expected a variable"));
  EXPECT_THAT(refusal(mat::array(mat::cell_class, std::array{1, 1}, "layers",
                                 mat::element(mat::single_type, "12345678"))),
              HasSubstr("an element of type 7 where an array is expected"));
  const std::string wrong_type =
      mat::array(mat::single_class, std::array{3, 1}, "", mat::element(mat::utf8_type, "abc"));
  EXPECT_THAT(refusal_of_layer(wrong_type, bias()),
              HasSubstr("an array of 3 values in 3 bytes of type 16"));
}

TEST_F(HostileMat, WithANameThatRunsOver) {
  EXPECT_THAT(refusal(mat::cell({}, std::string(1000, 'n'))),
              HasSubstr("an array whose name cannot be: type 1, 1000 bytes"));
}

TEST_F(HostileMat, OfTheOtherByteOrder) {
  std::string header = mat::file_header();
  header.replace(124, 4, std::string("\x01\x00MI", 4));
  write_all(in_, header);
  EXPECT_THAT(refusal_of_file(), HasSubstr("big-endian machine; expected little-endian"));
}

TEST_F(HostileMat, CutShortAnywhere) {
  const std::string whole = matconvnet_bytes(pattern_weights("conv1_1"), MatLayout::latest);
  for (std::size_t length = 128; length < whole.size(); length = length * 5 / 4 + 1) {
    write_all(in_, whole.substr(0, length));
    EXPECT_THAT(refusal_of_file(), HasSubstr(length == 128 ? "expected a variable" : "cut short"))
        << length;
  }
}

TEST_F(HostileMat, WithDamagedCompressedData) {
  const std::string packed = mat::compress(mat::cell(std::array{bias()}, "layers"));
  EXPECT_THAT(refusal(packed), HasSubstr("conv1_1 is missing"));

  std::string damaged = packed;
  damaged[8] = 'x';
  damaged[9] = 'x';
  EXPECT_THAT(refusal(damaged), HasSubstr("compressed data are damaged: incorrect header check"));
  damaged = packed;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  EXPECT_THAT(refusal(damaged), HasSubstr("compressed data are damaged: incorrect data check"));

  std::string short_data = packed.substr(0, packed.size() - 8);
  short_data[4] = static_cast<char>(short_data[4] - 8);
  EXPECT_THAT(refusal(short_data), HasSubstr("compressed data end too early"));

  const std::string holds_less =
      mat::compress(mat::cell(std::array{bias()}, "layers").substr(0, 60));
  EXPECT_THAT(refusal(holds_less), HasSubstr("compressed data hold less than they say"));
}

TEST_F(HostileMat, WithCompressedDataThatAreNoVariable) {
  EXPECT_THAT(refusal(mat::compress(mat::element(mat::single_type, "12345678"))),
              HasSubstr("a compressed element has type 7"));
  EXPECT_THAT(refusal(mat::compress(mat::compress(bias()))),
              HasSubstr("a compressed element has type 15"));
}

TEST_F(HostileMat, ThatUnfoldsFarBeyondItsSizeIsSkippedInLittleMemory) {
  // An array of 32 MiB of zeros in 150 kB, of no use here.
  const std::string zeros = shaped(std::array{1 << 23, 1}, std::size_t{32} << 20U);
  const std::string packed = mat::compress(mat::cell(std::array{zeros}, "layers"));
  EXPECT_LT(packed.size(), 200'000U);
  EXPECT_THAT(refusal(packed), HasSubstr("conv1_1 is missing"));
}

TEST_F(HostileMat, WhoseCompressedVariablesTogetherUnfoldToTooMuch) {
  const std::string packed =
      mat::compress(mat::cell(std::array{shaped(std::array{100, 1}, 400)}, "other"));
  write_all(in_, mat::file_header() + packed + packed + packed);
  const MatVisitor nothing{[](std::string_view) { return false; },
                           [](std::string_view, const MatValue&) {}};
  const auto read = [&](std::uint64_t most) {
    return message_of(ErrorKind::weights,
                      [&] { read_mat(SourceFile(in_, 1U << 20U), nothing, most); });
  };
  EXPECT_EQ(read(3000), "no error");
  EXPECT_THAT(read(1000), HasSubstr("compressed data unfold to more than"));
}

TEST_F(HostileMat, WithComplexFilters) {
  std::string complex = filter({3, 3, 3, 64});
  complex[17] = '\x08';  // a flag behind the tags of the array and its flags
  EXPECT_THAT(
      refusal_of_layer(complex, bias()),
      HasSubstr("expected numbers of (3, 3, 3, 64), found no plain numbers of (3, 3, 3, 64)"));
}

// Bytes are changed one at a time; whatever they mean then, only an Error may come out.
TEST_F(HostileMat, WithAnyByteChanged) {
  const std::string layer = mat::record(
      std::array<Field, 2>{{{"weights", mat::cell(std::array{filter({3, 3, 3, 64}), bias()})},
                            {"name", mat::text("conv1_1")}}});
  const std::string plain = mat::cell(std::array{layer}, "layers");
  for (const std::string& good : {plain, mat::compress(plain)}) {
    for (std::size_t i = 0; i < good.size(); i += i < 400 ? 1 : 97) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      EXPECT_THAT(refusal(changed), Not(HasSubstr("another")));
    }
  }
}

}  // namespace
}  // namespace impasto::hostile_mat_test
