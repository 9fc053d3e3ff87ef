// SPDX-License-Identifier: MIT
// Files of PyTorch: good ones, and those made to deceive.
#include "weights/pytorch.hpp"

#include <array>
#include <cmath>
#include <gmock/gmock.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/file_kind.hpp"

namespace impasto::pytorch_test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t many = std::uint64_t{1} << 30U;

using Items = std::vector<std::string>;

class Pytorch : public ::testing::Test {
 protected:
  std::vector<StoredTensor> list(const std::string& bytes) {
    write_all(path_, bytes);
    const SourceFile file(path_, many);
    return identify(file).kind == FileKind::zip ? list_pytorch(ZipFile(file))
                                                : list_old_pytorch(file);
  }

  /// In both forms.
  static Items forms(const std::string& object, std::span<const torch::Tensor> storages) {
    return {torch::saved(object, storages), torch::saved_before(object, storages)};
  }

  std::string refusal(const std::string& bytes) {
    const std::string message = message_of(ErrorKind::weights, [&] {
      for (const StoredTensor& tensor : list(bytes)) read_values(tensor);
    });
    EXPECT_THAT(message, HasSubstr(path_));
    return message;
  }

  /// What is said of an object in both forms of file, which must agree.
  void expect_refusal(const std::string& object, const std::string& says) {
    for (const std::string& bytes : forms(object, tensors_)) {
      EXPECT_THAT(refusal(bytes), HasSubstr(says));
    }
  }

  static std::string dict_of(const std::string& value) {
    return pickle::dict(Items{pickle::text("a"), value});
  }

  /// The first tensor's pieces, with what it says of itself changed.
  std::string changed(std::int64_t elements, std::int64_t offset, std::vector<std::int64_t> shape,
                      std::vector<std::int64_t> strides) {
    const torch::Tensor tensor = {"a", std::move(shape), {}, std::move(strides)};
    return pickle::dict(Items{pickle::text("a"), torch::tensor(tensor, "0", elements, offset),
                              pickle::text("b"), torch::tensor(tensors_[1], "1", 2)});
  }

  const std::vector<torch::Tensor> tensors_ = {{"a", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                               {"b", {2}, {7, 8}}};
  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.pth");
};

TEST_F(Pytorch, GivesNamesShapesAndValuesOfBothForms) {
  for (const std::string& bytes : forms(torch::state_dict(tensors_), tensors_)) {
    const std::vector<StoredTensor> found = list(bytes);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "a");
    EXPECT_THAT(found[0].shape, ElementsAre(2, 3));
    EXPECT_THAT(read_values(found[0]), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_EQ(found[1].name, "b");
    EXPECT_THAT(read_values(found[1]), ElementsAre(7, 8));
  }
}

TEST_F(Pytorch, NamesTensorsOfDictsInDictsByTheirPath) {
  const std::string parameter =
      pickle::call(pickle::global("torch._utils", "_rebuild_parameter"),
                   Items{torch::tensor(tensors_[0], "0", 6), "\x88", pickle::dict({})});
  const std::string inner = pickle::dict(
      Items{pickle::text("w"), parameter, pickle::text("b"), torch::tensor(tensors_[1], "1", 2)});
  const std::string object = pickle::dict(Items{
      pickle::text("epoch"), pickle::integer(-3), pickle::text("best"), "N", pickle::text("rate"),
      "G" + std::string(8, '\0'), pickle::text("state_dict"), inner, pickle::integer(7), "]"});
  for (const std::string& bytes : forms(object, tensors_)) {
    const std::vector<StoredTensor> found = list(bytes);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "state_dict.w");
    EXPECT_EQ(found[1].name, "state_dict.b");
    EXPECT_THAT(read_values(found[0]), ElementsAre(1, 2, 3, 4, 5, 6));
  }
}

// Python 2 makes an OrderedDict of a list of pairs, and writes texts as bytes.
TEST_F(Pytorch, ReadsWhatPython2Wrote) {
  const std::string pair =
      pickle::list(Items{"U\x01"
                         "a",
                         torch::tensor(tensors_[0], "0", 6)});
  const std::string object =
      pickle::call(pickle::global("collections", "OrderedDict"), Items{pickle::list(Items{pair})});
  const auto storages = std::span(tensors_).first(1);
  for (const std::string& bytes : forms(object, storages)) {
    const std::vector<StoredTensor> found = list(bytes);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "a");
  }
}

TEST_F(Pytorch, GivesValuesInTheOrderOfTheAxes) {
  for (const std::string& bytes : forms(changed(6, 0, {2, 3}, {1, 2}), tensors_)) {
    EXPECT_THAT(read_values(list(bytes).front()), ElementsAre(1, 3, 5, 2, 4, 6));
  }
  // An axis of one step may have any stride.
  for (const std::string& bytes : forms(changed(6, 2, {1, 3}, {77, 1}), tensors_)) {
    EXPECT_THAT(read_values(list(bytes).front()), ElementsAre(3, 4, 5));
  }
}

TEST_F(Pytorch, ReadsHalfPrecisionAndDoubles) {
  const auto object = [&](std::string_view kind, std::int64_t elements) {
    std::string pieces = torch::state_dict(std::span(tensors_).first(1));
    pieces.replace(pieces.find("FloatStorage"), 12, kind);
    const std::string before = pickle::integer(6);
    pieces.replace(pieces.find(before), before.size(), pickle::integer(elements));
    return pieces;
  };
  const auto bits = [](std::uint32_t word) { return std::bit_cast<float>(word); };
  // Two of 16 bits in each float; the shape takes the first six of them.
  torch::Tensor halves = {"a", {6}, {bits(0x4000'3C00), bits(0xC000'3800), bits(0), 0, 0, 0}};
  EXPECT_THAT(read_values(list(torch::saved(object("HalfStorage", 12), {&halves, 1})).front()),
              ElementsAre(1, 2, 0.5F, -2, 0, 0));
  halves.values[0] = bits(0x4000'3F80);
  EXPECT_THAT(
      read_values(list(torch::saved(object("BFloat16Storage", 12), {&halves, 1})).front())[0], 1);
  const torch::Tensor doubles = {"a", {6}, {0, bits(0x3FF0'0000), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
  EXPECT_THAT(read_values(list(torch::saved(object("DoubleStorage", 6), {&doubles, 1})).front())[0],
              1);
}

// The pickles that run a program when Python loads them.
TEST_F(Pytorch, ThatAsksForAnythingElseIsRefusedByName) {
  for (const auto& [module, name] :
       {std::pair("os", "system"), std::pair("builtins", "eval"), std::pair("posix", "system"),
        std::pair("torch", "load"), std::pair("torch.FloatStorage", "x"),
        std::pair("torchvision.models.vgg", "VGG"), std::pair("", "")}) {
    const std::string attack =
        pickle::call(pickle::global(module, name), Items{pickle::text("touch /tmp/owned")});
    expect_refusal(dict_of(attack), std::string("asks for ") + module + "." + name);
  }
  const std::string stacked = "\x8C\x02os\x8C\x06system\x93" + pickle::tuple(Items{}) + "R";
  expect_refusal(dict_of(stacked), "asks for os.system");
  expect_refusal(dict_of("ios\nsystem\n"), "opcode 0x69");  // INST
  expect_refusal(dict_of("\x82\x01"), "opcode 0x82");       // EXT1
  expect_refusal(dict_of(")\x81"), "opcode 0x81");          // NEWOBJ
  expect_refusal(dict_of("Pkey\n"), "opcode 0x50");         // PERSID
}

TEST_F(Pytorch, ThatIsNoStateDictIsRefused) {
  expect_refusal(pickle::list({}), "no dict of tensors");
  expect_refusal(torch::tensor(tensors_[0], "0", 6), "no dict of tensors");
  const std::string empty_call =
      pickle::call(pickle::global("torch._utils", "_rebuild_tensor_v2"), Items{});
  expect_refusal(dict_of(empty_call), "a is no tensor");
  const std::string no_storage = pickle::call(
      pickle::global("torch._utils", "_rebuild_tensor_v2"),
      Items{pickle::text("0"), pickle::integer(0), pickle::tuple({}), pickle::tuple({})});
  expect_refusal(dict_of(no_storage), "a has no storage");
  const std::string no_parameter =
      pickle::call(pickle::global("torch._utils", "_rebuild_parameter"), Items{"N"});
  expect_refusal(dict_of(no_parameter), "a is a parameter without a tensor");
}

TEST_F(Pytorch, WhoseTensorLeavesItsStorageIsRefused) {
  expect_refusal(changed(6, 1, {2, 3}, {3, 1}), "a takes 6 values at 1 from a storage of 6");
  expect_refusal(changed(6, 0, {2, 4}, {4, 1}), "a takes 8 values at 0 from a storage of 6");
  expect_refusal(changed(6, 1LL << 39U, {1}, {1}), "from a storage of 6");
  expect_refusal(changed(6, -1, {2, 3}, {3, 1}), "a has a size or position that cannot be");
  expect_refusal(changed(6, 0, {-2, -3}, {3, 1}), "a has a size or position that cannot be");
  expect_refusal(changed(6, 0, {1LL << 40U}, {1}), "a has a size or position that cannot be");
}

TEST_F(Pytorch, WithStridesThatRepeatOrSkipValuesIsRefused) {
  expect_refusal(changed(6, 0, {2, 3}, {0, 1}), "a has the strides (0, 1) with the shape (2, 3)");
  expect_refusal(changed(6, 0, {3}, {2}), "expected values next to each other");
  expect_refusal(changed(6, 0, {2, 3}, {1, 1}), "expected values next to each other");
  expect_refusal(changed(6, 0, {2, 3}, {1}), "a has 2 axes and 1 strides");
}

// A bomb: a few bytes that stand for terabytes.
TEST_F(Pytorch, OfMoreValuesThanAnyNetworkHasIsRefused) {
  expect_refusal(changed(6, 0, {1LL << 30U, 1LL << 30U}, {0, 0}), "expected 1 to 8388608 values");
  expect_refusal(changed(6, 0, {0, 3}, {3, 1}), "expected 1 to 8388608 values");
}

TEST_F(Pytorch, WhoseStorageHasAnotherSizeIsRefused) {
  const std::string object = changed(7, 0, {2, 3}, {3, 1});
  EXPECT_THAT(refusal(torch::saved(object, tensors_)), HasSubstr("expected there: 28 bytes"));
  EXPECT_THAT(refusal(torch::saved_before(object, tensors_)),
              HasSubstr("the storage '0' has 6 elements; expected 7"));
}

TEST_F(Pytorch, WithoutItsStoragesIsRefused) {
  const std::string object = torch::state_dict(tensors_);
  EXPECT_THAT(refusal(torch::saved(object, std::span(tensors_).first(1))),
              HasSubstr("found: nothing"));
  EXPECT_THAT(refusal(torch::saved_before(object, std::span(tensors_).first(1))),
              HasSubstr("b has a storage '1' that the file lacks"));
  std::string bytes = torch::saved_before(object, tensors_);
  bytes.resize(bytes.size() - 1);
  EXPECT_THAT(refusal(bytes), HasSubstr("cut short"));
}

TEST_F(Pytorch, WhoseStoragesAreCompressedIsRefused) {
  const std::string object = torch::state_dict(std::span(tensors_).first(1));
  const std::vector<zip::Entry> entries = {
      {"x/data.pkl", pickle::begin() + object + pickle::end(), true},
      {"x/data/0", std::string(24, '\0'), true}};
  EXPECT_THAT(refusal(zip::archive(entries)), HasSubstr("found: compressed ones"));
}

TEST_F(Pytorch, WithValuesThatAreNotNumbersIsRefused) {
  std::vector<torch::Tensor> tensors = tensors_;
  for (const float value : {std::nanf(""), INFINITY, -1e5F}) {
    tensors[0].values[3] = value;
    for (const std::string& bytes : forms(torch::state_dict(tensors), tensors)) {
      EXPECT_THAT(refusal(bytes), HasSubstr("a holds "));
    }
  }
}

TEST_F(Pytorch, OfIntegersIsListedButNotRead) {
  std::string object = torch::state_dict(std::span(tensors_).first(1));
  object.replace(object.find("FloatStorage"), 12, "IntStorage");
  const std::string bytes = torch::saved(object, std::span(tensors_).first(1));
  EXPECT_EQ(list(bytes).size(), 1U);
  EXPECT_THAT(refusal(bytes), HasSubstr("a holds no real numbers"));
}

TEST_F(Pytorch, OfABigEndianMachineIsRefused) {
  std::string bytes = torch::saved_before(torch::state_dict(tensors_), tensors_);
  const std::size_t at = bytes.find("little_endian") + 13;
  ASSERT_EQ(bytes[at], '\x88');
  bytes[at] = '\x89';
  EXPECT_THAT(refusal(bytes), HasSubstr("big-endian"));
}

TEST_F(Pytorch, ThatIsAnotherPickleIsRefused) {
  EXPECT_THAT(refusal(pickle::begin() + pickle::integer(1) + pickle::end()),
              HasSubstr("not one of PyTorch's files"));
  EXPECT_THAT(refusal("\x80\x02" + std::string(100, '(') + std::string(100, ']')),
              HasSubstr("the pickle is cut short"));
}

// A pickle that contains itself, and one that doubles with every byte, as "billion laughs" do.
TEST_F(Pytorch, ThatContainsItselfTakesNoLongerThanItsSize) {
  const std::string itself =
      "}q\x09"
      "X\x01" +
      std::string(3, '\0') + "ah\x09s";
  for (const std::string& bytes : forms(itself, {})) EXPECT_TRUE(list(bytes).empty());
  std::string laughs = "}q" + std::string(1, '\0');
  for (char i = 1; i < 60; ++i) {
    laughs += "}q" + std::string(1, i);
    for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) {
      laughs += pickle::text(key) + "h" + std::string(1, static_cast<char>(i - 1)) + "s";
    }
  }
  EXPECT_THAT(refusal(torch::saved(laughs, {})),
              AnyOf("no error " + path_, HasSubstr("more than 50000")));
}

TEST_F(Pytorch, ThatIsNestedAMillionDeepIsRefused) {
  EXPECT_THAT(refusal(torch::saved(std::string(1'000'000, ']') + std::string(999'999, 'a'), {})),
              HasSubstr("more than 500000 values"));
}

TEST_F(Pytorch, WithOneByteChangedEitherListsOrIsRefused) {
  for (const std::string& good : forms(torch::state_dict(tensors_), tensors_)) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char change : {'\x01', '\x80', '\xFF'}) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ change);
        write_all(path_, bytes);
        const std::string message = message_of(ErrorKind::weights, [&] {
          const SourceFile file(path_, many);
          const FileKind kind = identify(file).kind;
          std::vector<StoredTensor> tensors;
          if (kind == FileKind::zip && is_pytorch(ZipFile(file))) {
            tensors = list_pytorch(ZipFile(file));
          } else if (kind == FileKind::pickle) {
            tensors = list_old_pytorch(file);
          }
          for (const StoredTensor& tensor : tensors) read_values(tensor);
        });
        EXPECT_THAT(message, AnyOf("no error", HasSubstr(path_))) << i;
      }
    }
  }
}

TEST(StoredTensors, ThatShareAValueAreRefused) {
  const TemporaryFolder folder;
  write_all(folder.file("a"), std::string(100, '\0'));
  const SourceFile file(folder.file("a"), many);
  const auto at = [&](std::uint64_t begin, std::uint64_t offset) {
    return StoredTensor{
        fmt::format("t{}", begin), ElementType::float32, {2}, {1}, file.part(begin, 40), offset};
  };
  const StoredTensor a = at(0, 1);
  const StoredTensor beside = at(12, 0);
  const StoredTensor over = at(8, 0);
  check_apart(std::array{&beside, &a});
  EXPECT_THAT(message_of(ErrorKind::weights,
                         [&] {
                           check_apart(std::array{&over, &a});
                         }),
              AllOf(HasSubstr("t8 shares values with t0")));
}

}  // namespace
}  // namespace impasto::pytorch_test
