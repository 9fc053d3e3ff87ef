// SPDX-License-Identifier: MIT
#include "weights/safetensors.hpp"

#include <gmock/gmock.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "tests/weights/fixtures.hpp"

namespace impasto::safetensors_test {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Safetensors : public ::testing::Test {
 protected:
  std::vector<StoredTensor> list(const std::string& bytes) {
    write_all(path_, bytes);
    return list_safetensors({path_, std::uint64_t{1} << 30U});
  }

  std::string refusal(const std::string& bytes) {
    return message_of(ErrorKind::weights, [&] {
      for (const StoredTensor& tensor : list(bytes)) read_values(tensor);
    });
  }

  /// Of a file with one tensor "a" that says this of itself, and eight bytes of values.
  std::string refusal_of(std::string_view dtype, std::string_view shape, std::string_view offsets) {
    return refusal(
        torch::safetensors(fmt::format(R"({{"a":{{"dtype":{},"shape":{},"data_offsets":{}}}}})",
                                       dtype, shape, offsets),
                           std::string(8, '\0')));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.safetensors");
  const std::vector<torch::Tensor> tensors_ = {{"b", {2, 2}, {1, 2, 3, 4}}, {"a", {2}, {5, 6}}};
};

TEST_F(Safetensors, GivesNamesShapesAndValues) {
  const std::vector<StoredTensor> found = list(torch::safetensors(tensors_));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_THAT(read_values(found[0]), ElementsAre(5, 6));
  EXPECT_EQ(found[1].name, "b");
  EXPECT_THAT(found[1].shape, ElementsAre(2, 2));
  EXPECT_THAT(read_values(found[1]), ElementsAre(1, 2, 3, 4));
}

TEST_F(Safetensors, MayHaveAnEmptyTensorAndSpacesBehindTheText) {
  EXPECT_EQ(
      list(torch::safetensors(R"({"e":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]}}   )", ""))
          .size(),
      1U);
}

TEST_F(Safetensors, WhoseTensorDoesNotFitItsBytesIsRefused) {
  EXPECT_THAT(refusal_of(R"("F32")", "[3]", "[0,8]"), HasSubstr("a has the shape (3) in 8 bytes"));
  EXPECT_THAT(refusal_of(R"("F64")", "[2]", "[0,8]"), HasSubstr("a has the shape (2) in 8 bytes"));
  EXPECT_THAT(refusal_of(R"("F32")", "[1099511627775,1099511627775]", "[0,8]"),
              HasSubstr("in 8 bytes"));
}

TEST_F(Safetensors, WhoseTensorLiesOutsideIsRefused) {
  for (const char* offsets :
       {"[8,16]", "[8,0]", "[-8,0]", "[0]", "8", "[0,18446744073709551615]", "[0.5,8]"}) {
    EXPECT_THAT(refusal_of(R"("F32")", "[2]", offsets),
                HasSubstr("a has no shape or does not lie in the file"))
        << offsets;
  }
}

TEST_F(Safetensors, WithGapsOverlapsOrMoreIsRefused) {
  EXPECT_THAT(refusal_of(R"("F32")", "[1]", "[4,8]"), HasSubstr("a begins at 4; expected 0"));
  EXPECT_THAT(refusal_of(R"("F32")", "[1]", "[0,4]"), HasSubstr("has more than its tensors"));
  constexpr auto overlapping = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                                   "b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})";
  EXPECT_THAT(refusal(torch::safetensors(overlapping, std::string(8, '\0'))),
              HasSubstr("b begins at 4; expected 8"));
}

TEST_F(Safetensors, WithAStrangeTypeOrFormIsRefused) {
  EXPECT_THAT(refusal_of(R"("F33")", "[2]", "[0,8]"), HasSubstr("no type of number that is known"));
  EXPECT_THAT(refusal_of("7", "[2]", "[0,8]"), HasSubstr("no type of number that is known"));
  EXPECT_THAT(refusal_of(R"("I64")", "[1]", "[0,8]"), HasSubstr("a holds no real numbers"));
  EXPECT_THAT(refusal(torch::safetensors(R"({"a":1})", "")), HasSubstr("a is no tensor"));
  EXPECT_THAT(refusal(torch::safetensors("[1]", "")), HasSubstr("its JSON is no object"));
  EXPECT_THAT(refusal(torch::safetensors("{", "")), HasSubstr("its JSON cannot be read"));
  EXPECT_THAT(refusal(torch::safetensors(R"({"a":{},"a":{}})", "")),
              HasSubstr("the name 'a' twice"));
  EXPECT_THAT(refusal_of(R"("F32","shape":[2])", "[2]", "[0,8]"),
              HasSubstr("the name 'shape' twice"));
  EXPECT_THAT(refusal(torch::safetensors(R"({"a":)" + std::string(100'000, '['), "")),
              HasSubstr("nested too deep"));
}

TEST_F(Safetensors, ThatLiesAboutItsTextIsRefused) {
  std::string bytes = torch::safetensors(tensors_);
  bytes[1] = 1;
  EXPECT_THAT(refusal(bytes), HasSubstr("cut short"));
  bytes[4] = 1;
  EXPECT_THAT(refusal(bytes), HasSubstr("expected at most 4194304"));
}

TEST_F(Safetensors, WithOneByteChangedEitherListsOrIsRefused) {
  const std::string good = torch::safetensors(tensors_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char change : {'\x01', '\x04', '\x80', '\xFF'}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      EXPECT_THAT(refusal(bytes), AnyOf("no error", HasSubstr(path_))) << i;
    }
  }
}

}  // namespace
}  // namespace impasto::safetensors_test
