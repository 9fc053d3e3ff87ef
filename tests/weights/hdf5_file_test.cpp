// SPDX-License-Identifier: MIT
// Our reader of HDF5 against files that HDF5's library wrote: whole ones, and damaged ones.
#include "weights/hdf5_file.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <tuple>
#include <unistd.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto::hdf5_file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Hdf5Reader : public ::testing::Test {
 protected:
  Hdf5FileId create(const Hdf5Properties& access = Hdf5Properties(H5Pcreate(H5P_FILE_ACCESS))) {
    return Hdf5FileId(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  }

  [[nodiscard]] Hdf5File open() const { return Hdf5File({path_, max_weights_bytes}); }

  std::string refusal(const std::function<void(const Hdf5File&)>& use) const {
    return message_of(ErrorKind::weights, [&] { use(open()); });
  }

  static void write_attribute(const Hdf5FileId& file, const std::string& name, hid_t type,
                              hsize_t count, const void* values, hid_t memory_type) {
    const Hdf5Space space(H5Screate_simple(1, &count, nullptr));
    const Hdf5Attribute attribute(
        H5Acreate2(file.get(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_GE(H5Awrite(attribute.get(), memory_type, values), 0) << name;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.h5");
};

TEST_F(Hdf5Reader, ReadsNumbersOfEveryStandardType) {
  constexpr std::array<std::int64_t, 3> whole = {-3, 0, 100};
  constexpr std::array<double, 3> real = {-0.125, 3, 1e30};
  {
    const Hdf5FileId file = create();
    int i = 0;
    for (const hid_t type : {H5T_STD_I8LE, H5T_STD_I16BE, H5T_STD_I32LE, H5T_STD_I64BE}) {
      write_attribute(file, "whole" + std::to_string(i++), type, 3, whole.data(), H5T_NATIVE_INT64);
    }
    for (const hid_t type : {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE}) {
      write_attribute(file, "real" + std::to_string(i++), type, 3, real.data(), H5T_NATIVE_DOUBLE);
    }
    constexpr std::array<std::uint64_t, 1> large = {~std::uint64_t{0}};
    write_attribute(file, "large", H5T_STD_U64LE, 1, large.data(), H5T_NATIVE_UINT64);
  }
  const Hdf5File file = open();
  for (const auto* name : {"whole0", "whole1", "whole2", "whole3"}) {
    EXPECT_THAT(file.numbers("/", name).value(), ElementsAre(-3, 0, 100)) << name;
  }
  for (const auto* name : {"real4", "real5", "real6", "real7"}) {
    EXPECT_THAT(file.numbers("/", name).value(),
                ElementsAre(-0.125, 3, ::testing::DoubleNear(1e30, 1e24)))
        << name;
  }
  EXPECT_THAT(file.numbers("/", "large").value(), ElementsAre(0x1p64));
  EXPECT_FALSE(file.numbers("/", "absent").has_value());
}

TEST_F(Hdf5Reader, RefusesNumbersOfUnusualTypes) {
  {
    const Hdf5FileId file = create();
    const Hdf5Type narrow(H5Tcopy(H5T_STD_I32LE));
    H5Tset_precision(narrow.get(), 20);
    const std::int32_t one = 1;
    write_attribute(file, "narrow", narrow.get(), 1, &one, H5T_NATIVE_INT32);
    const Hdf5Type biased(H5Tcopy(H5T_IEEE_F32LE));
    H5Tset_ebias(biased.get(), 100);
    write_attribute(file, "biased", biased.get(), 1, &one, H5T_NATIVE_INT32);
  }
  for (const auto* name : {"narrow", "biased"}) {
    EXPECT_THAT(refusal([&](const Hdf5File& file) { return file.numbers("/", name); }),
                HasSubstr("that does not hold numbers"));
  }
}

TEST_F(Hdf5Reader, ReadsTextsOfFixedLength) {
  {
    const Hdf5FileId file = create();
    const Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), 8);
    write_attribute(file, "names", type.get(), 2, "conv1_1\0whole 8\xC3", type.get());
  }
  EXPECT_THAT(open().strings("/", "names").value(), ElementsAre("conv1_1", "whole 8\xC3"));
  EXPECT_THAT(refusal([](const Hdf5File& file) { return file.numbers("/", "names"); }),
              HasSubstr("'names' that does not hold numbers"));
}

// HDF5's library copies as many bytes as the text has into the memory that its element asks for.
TEST_F(Hdf5Reader, RefusesTextsOfVariableLength) {
  {
    const Hdf5FileId file = create();
    const Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), H5T_VARIABLE);
    const char* text = "of any length";
    write_attribute(file, "names", type.get(), 1, &text, type.get());
  }
  EXPECT_THAT(refusal([](const Hdf5File& file) { return file.strings("/", "names"); }),
              HasSubstr("'names' that does not hold text of fixed length"));
}

TEST_F(Hdf5Reader, RefusesAttributesOfManyValuesOrBytes) {
  {
    const Hdf5FileId file = create();
    const std::vector<std::int8_t> many(1025);
    write_attribute(file, "many", H5T_STD_I8LE, many.size(), many.data(), H5T_NATIVE_INT8);
  }
  EXPECT_THAT(refusal([](const Hdf5File& file) { return file.numbers("/", "many"); }),
              HasSubstr("'many' of more than 1024 values"));
}

TEST_F(Hdf5Reader, FindsAttributesInTheContinuationsOfAHeader) {
  {
    const Hdf5FileId file = create();
    for (int i = 0; i < 300; ++i) {
      write_attribute(file, "attribute" + std::to_string(i), H5T_STD_I32LE, 1, &i,
                      H5T_NATIVE_INT32);
    }
  }
  const Hdf5File file = open();
  for (const int i : {0, 150, 299}) {
    EXPECT_THAT(file.numbers("/", "attribute" + std::to_string(i)).value(), ElementsAre(i));
  }
}

TEST_F(Hdf5Reader, ListsGroupsWhoseTreeHasSeveralLevels) {
  std::vector<std::string> expected;
  {
    const Hdf5Properties creation(H5Pcreate(H5P_FILE_CREATE));
    H5Pset_sym_k(creation.get(), 2, 2);  // four children a node
    const Hdf5FileId file(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, creation.get(), H5P_DEFAULT));
    for (int i = 0; i < 256; ++i) {
      expected.push_back(fmt::format("group{:03}", (i * 37) % 256));
      Hdf5Group(
          H5Gcreate2(file.get(), expected.back().c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
  }
  std::ranges::sort(expected);
  const Hdf5File file = open();
  EXPECT_EQ(file.members("/"), expected);
  EXPECT_TRUE(file.contains("/", "group255"));
  EXPECT_FALSE(file.contains("/", "group256"));
  EXPECT_TRUE(file.is_group("/group007"));
}

TEST_F(Hdf5Reader, NamesTheNewerFileFormatAndTheWayBack) {
  const Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  create(access);
  EXPECT_THAT(refusal([](const Hdf5File&) {}),
              HasSubstr("superblock 3, expected 0, the original file format; 'h5repack --low=0"));

  const Hdf5Properties tracked(H5Pcreate(H5P_GROUP_CREATE));
  H5Pset_link_creation_order(tracked.get(), H5P_CRT_ORDER_TRACKED);
  const Hdf5FileId file = create();
  const Hdf5Group group(H5Gcreate2(file.get(), "newer", H5P_DEFAULT, tracked.get(), H5P_DEFAULT));
  for (int i = 0; i < 9; ++i) {  // more than fit into a header
    Hdf5Group(
        H5Gcreate2(group.get(), std::to_string(i).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  H5Fflush(file.get(), H5F_SCOPE_GLOBAL);
  EXPECT_THAT(refusal([](const Hdf5File& opened) { return opened.members("/newer"); }),
              HasSubstr("/newer is written in HDF5's newer file format"));
}

/// A small file with all that the reader understands, in few bytes: every one of them is changed.
class DamagedHdf5 : public Hdf5Reader {
 protected:
  DamagedHdf5() {
    {
      const Hdf5FileId file = create();
      const float half = 0.5F;
      write_attribute(file, "number", H5T_IEEE_F32LE, 1, &half, H5T_NATIVE_FLOAT);
      const Hdf5Type type(H5Tcopy(H5T_C_S1));
      H5Tset_size(type.get(), 8);
      H5Tset_cset(type.get(), H5T_CSET_UTF8);
      write_attribute(file, "text", type.get(), 1, "a text\0", type.get());
      const Hdf5Group group(H5Gcreate2(file.get(), "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      const std::array<hsize_t, 2> shape = {2, 3};
      const Hdf5Space space(H5Screate_simple(2, shape.data(), nullptr));
      const Hdf5Dataset dataset(H5Dcreate2(group.get(), "values", H5T_IEEE_F32LE, space.get(),
                                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      const std::vector<float> values(6, 1.0F);
      H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    bytes_ = read_all(path_);
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~DamagedHdf5() override { ::close(descriptor_); }

  /// Everything that reading can do; whatever the file holds, only an Error may come out.
  bool read_everything() const {
    try {
      const Hdf5File file = open();
      for (const std::string& name : file.members("/")) std::ignore = file.is_group("/" + name);
      std::ignore = file.numbers("/", "number");
      std::ignore = file.strings("/", "text");
      std::ignore = file.contains("/group", "absent");
      std::ignore = file.read_floats("/group/values", std::array<std::uint64_t, 2>{2, 3});
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::weights) << error.what();
      return false;
    }
  }

  bool reads_with(std::size_t at, std::string_view change) const {
    EXPECT_EQ(::pwrite(descriptor_, change.data(), change.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(change.size()));
    const bool good = read_everything();
    EXPECT_EQ(::pwrite(descriptor_, bytes_.data() + at, change.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(change.size()));
    return good;
  }

#ifdef __SANITIZE_ADDRESS__
  static constexpr std::int64_t most_memory_kib = 1 << 20;  // it keeps what was freed
#else
  static constexpr std::int64_t most_memory_kib = 32 << 10;
#endif

  static std::int64_t peak_memory_kib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }

  std::string bytes_;
  int descriptor_ = -1;
};

TEST_F(DamagedHdf5, IsReadOrRefusedWithAnyByteChanged) {
  ASSERT_TRUE(read_everything());
  const std::int64_t before = peak_memory_kib();
  int refused = 0;
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes_[at]);
    for (unsigned bit = 0; bit < 8; ++bit) {
      const char flipped = static_cast<char>(byte ^ (1U << bit));
      refused += reads_with(at, {&flipped, 1}) ? 0 : 1;
    }
    for (const char value : {'\0', '\x7F', '\xFF'}) refused += reads_with(at, {&value, 1}) ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(peak_memory_kib() - before, most_memory_kib);
  EXPECT_TRUE(read_everything());
}

// Trees that lead back to themselves, headers that continue in themselves, lengths beyond the end.
TEST_F(DamagedHdf5, IsReadOrRefusedWithAnyWordAnother) {
  std::vector<std::uint64_t> words = {0,
                                      1,
                                      8,
                                      bytes_.size() - 8,
                                      bytes_.size(),
                                      ~std::uint64_t{0},
                                      std::uint64_t{1} << 40U,
                                      std::uint64_t{1} << 63U};
  for (const auto* mark : {"TREE", "SNOD", "HEAP"}) {
    for (std::size_t at = bytes_.find(mark); at != std::string::npos;
         at = bytes_.find(mark, at + 1)) {
      words.push_back(at);
    }
  }
  const std::int64_t before = peak_memory_kib();
  int refused = 0;
  for (std::size_t at = 0; at + 8 <= bytes_.size(); at += 8) {
    for (const std::uint64_t word : words) {
      std::array<char, 8> raw{};
      std::memcpy(raw.data(), &word, raw.size());
      refused += reads_with(at, {raw.data(), raw.size()}) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(peak_memory_kib() - before, most_memory_kib);
}

TEST_F(DamagedHdf5, IsRefusedWhereverItIsCut) {
  for (std::size_t length = bytes_.size() - 1; length > 0; --length) {
    ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(length)), 0);
    EXPECT_FALSE(read_everything()) << length;
  }
}

}  // namespace
}  // namespace impasto::hdf5_file_test
