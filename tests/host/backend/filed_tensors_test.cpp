// SPDX-License-Identifier: MIT
#include "host/backend/filed_tensors.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <numeric>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"

namespace impasto::filed_tensors_test {
namespace {

std::vector<float> counted(std::int64_t count, float first) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}

class FiledTensorsOn : public testing::TestWithParam<const char*> {
 protected:
  Tensor tensor(const Shape& shape, DataType type) {
    Tensor made{nullptr, shape, type};
    memory_.push_back(backend_->allocate(made.bytes()));
    made.data = memory_.back().get();
    return made;
  }
  Tensor holding(const Shape& shape, DataType type, float first) {
    const Tensor made = tensor(shape, type);
    backend_->write(made, counted(shape.count(), first));
    return made;
  }
  std::vector<float> values(const Tensor& of) {
    std::vector<float> found(static_cast<std::size_t>(of.shape.count()));
    backend_->read(found, of);
    return found;
  }

  std::unique_ptr<Backend> backend_ = make_backend(GetParam());
  std::vector<Buffer> memory_;
};

TEST_P(FiledTensorsOn, GiveBackWhatTheyGotAndBeginWithZeros) {
  FiledTensors files;
  const Shape shape{2, 5, 7, 4};
  const DataType type = backend_->master_type();
  const std::size_t first = files.reserve(shape, type);
  const std::size_t second = files.reserve(shape, type);
  files.open();
  files.write(*backend_, {second}, holding(shape, type, 1));
  const Tensor back = tensor(shape, type);
  files.read(*backend_, back, {first});
  EXPECT_EQ(values(back), std::vector<float>(280));
  files.read(*backend_, back, {second});
  EXPECT_EQ(values(back), counted(280, 1));

  files.copy(first, second, 1);
  files.read(*backend_, back, {first});
  std::vector<float> expected(140);
  const std::vector<float> copied = counted(140, 141);
  expected.insert(expected.end(), copied.begin(), copied.end());
  EXPECT_EQ(values(back), expected);

  files.write(first, 0, counted(140, 500));
  std::vector<float> read(140);
  files.read(read, first, 0);
  EXPECT_EQ(read, counted(140, 500));
  files.open();
  files.read(*backend_, back, {second});
  EXPECT_EQ(values(back), std::vector<float>(280));
}

TEST_P(FiledTensorsOn, HaveRectangles) {
  FiledTensors files;
  const DataType type = backend_->master_type();
  const std::size_t number = files.reserve({2, 5, 7, 4}, type);
  files.open();
  const Shape part{1, 2, 3, 4};
  files.write(*backend_, {number, 1, {3, 2}}, holding(part, type, 1));
  const Tensor back = tensor(part, type);
  files.read(*backend_, back, {number, 1, {3, 2}});
  EXPECT_EQ(values(back), counted(24, 1));
  // One row and one column further up: the part's first row without its last pixel, below zeros.
  files.read(*backend_, back, {number, 1, {2, 1}});
  std::vector<float> expected(24);
  std::iota(expected.begin() + 16, expected.end(), 1.0F);
  EXPECT_EQ(values(back), expected);
  EXPECT_THROW(files.read(*backend_, back, {number, 1, {4, 2}}), Error);
  EXPECT_THROW(files.read(*backend_, back, {number, 2, {3, 2}}), Error);
}

/// More than travels at once.
TEST_P(FiledTensorsOn, HoldLargeTensors) {
  FiledTensors files;
  const Shape shape{1, 70, 1024, 64};
  const std::size_t number = files.reserve(shape, DataType::f32);
  files.open();
  files.write(*backend_, {number}, holding(shape, DataType::f32, 0));
  const Shape part{1, 65, 1000, 64};
  const Tensor back = tensor(part, DataType::f32);
  files.read(*backend_, back, {number, 0, {3, 11}});
  const std::vector<float> found = values(back);
  for (std::int64_t y = 0; y < 65; ++y) {
    const auto at = [&](std::int64_t i) { return found[static_cast<std::size_t>(y * 64000 + i)]; };
    EXPECT_EQ(at(0), static_cast<float>(((y + 3) * 1024 + 11) * 64)) << y;
    EXPECT_EQ(at(63999), static_cast<float>(((y + 3) * 1024 + 11) * 64 + 63999)) << y;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, FiledTensorsOn, testing::Values("cpu", "reference", "simt"));

TEST(FiledTensors, SayWhereTheyCannotBe) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nowhere", 1);
  FiledTensors files;
  static_cast<void>(files.reserve({1, 2, 2, 4}, DataType::f32));
  try {
    files.open();
    ADD_FAILURE() << "a file in no folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_NE(std::string(error.what()).find("/nowhere"), std::string::npos) << error.what();
  }
  ::unsetenv("TMPDIR");
  EXPECT_EQ(FiledTensors::folder(), "/var/tmp");
  if (!kept.empty()) ::setenv("TMPDIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace impasto::filed_tensors_test
