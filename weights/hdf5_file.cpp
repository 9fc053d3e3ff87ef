// SPDX-License-Identifier: MIT
#include "weights/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
namespace {

constexpr std::size_t max_members = 256;
constexpr std::size_t max_attribute_values = 1024;
constexpr std::size_t max_attribute_bytes = std::size_t{64} << 10U;
constexpr float max_magnitude = 1e4F;

std::string_view link_kind(H5L_type_t type) {
  switch (type) {
    case H5L_TYPE_SOFT: return "a soft link";
    case H5L_TYPE_EXTERNAL: return "an external link";
    default: return "a link of unknown kind";
  }
}

std::string_view type_kind(H5T_class_t kind) {
  switch (kind) {
    case H5T_FLOAT: return "floating point";
    case H5T_INTEGER: return "integers";
    case H5T_STRING: return "text";
    case H5T_COMPOUND: return "records";
    default: return "values of another kind";
  }
}

}  // namespace

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

Hdf5File::Hdf5File(std::string path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {
  const Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_sec2(access.get());
  // Nobody writes the file while it is read, and some file systems cannot lock.
  H5Pset_file_locking(access.get(), false, true);
  file_ = Hdf5FileId(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()));
  if (!file_) {
    fail(ErrorKind::weights, "weights '{}' cannot be read as HDF5: {}", path_, hdf5_reason());
  }
}

void Hdf5File::refuse(const std::string& object, const std::string& reason) const {
  fail(ErrorKind::weights, "weights '{}' are refused: {} {}", path_, object, reason);
}

bool Hdf5File::contains(const std::string& group, const std::string& name) const {
  const Hdf5Object parent = open(group);
  const std::string object = (group == "/" ? "" : group) + "/" + name;
  const htri_t exists = H5Lexists(parent.get(), name.c_str(), H5P_DEFAULT);
  if (exists < 0) refuse(object, fmt::format("cannot be looked up: {}", hdf5_reason()));
  if (exists == 0) return false;
  H5L_info_t info{};
  if (H5Lget_info(parent.get(), name.c_str(), &info, H5P_DEFAULT) < 0) {
    refuse(object, fmt::format("cannot be looked up: {}", hdf5_reason()));
  }
  if (info.type != H5L_TYPE_HARD) {
    refuse(object, fmt::format("is {}; expected an object of this file", link_kind(info.type)));
  }
  return true;
}

void Hdf5File::check_links(const std::string& object) const {
  std::string group = "/";
  std::size_t begin = 1;
  while (begin < object.size()) {
    const std::size_t end = std::min(object.find('/', begin), object.size());
    const std::string name = object.substr(begin, end - begin);
    if (name.empty() || name == "." || !contains(group, name)) refuse(object, "is missing");
    group = object.substr(0, end);
    begin = end + 1;
  }
}

Hdf5Object Hdf5File::open(const std::string& object) const {
  check_links(object);
  Hdf5Object opened(H5Oopen(file_.get(), object.c_str(), H5P_DEFAULT));
  if (!opened) refuse(object, fmt::format("cannot be opened: {}", hdf5_reason()));
  return opened;
}

bool Hdf5File::is_group(const std::string& object) const {
  return H5Iget_type(open(object).get()) == H5I_GROUP;
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const Hdf5Object opened = open(group);
  if (H5Iget_type(opened.get()) != H5I_GROUP) refuse(group, "is not a group");
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    auto& found = *static_cast<std::vector<std::string>*>(data);
    found.emplace_back(name);
    return found.size() > max_members ? 1 : 0;
  };
  if (H5Literate(opened.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collect, &names) < 0) {
    refuse(group, fmt::format("cannot be listed: {}", hdf5_reason()));
  }
  if (names.size() > max_members) {
    refuse(group, fmt::format("holds more than {} objects", max_members));
  }
  std::ranges::sort(names);
  for (const std::string& name : names) static_cast<void>(contains(group, name));
  return names;
}

Hdf5Dataset Hdf5File::open_dataset(const std::string& name) const {
  check_links(name);
  Hdf5Dataset dataset(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT));
  if (!dataset) refuse(name, fmt::format("is not a dataset: {}", hdf5_reason()));
  return dataset;
}

std::vector<std::uint64_t> Hdf5File::shape(const std::string& dataset) const {
  const Hdf5Dataset opened = open_dataset(dataset);
  const Hdf5Space space(H5Dget_space(opened.get()));
  std::array<hsize_t, H5S_MAX_RANK> extent{};
  const int rank = H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
  if (rank < 0 || H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
    refuse(dataset, "has no shape");
  }
  return {extent.begin(), extent.begin() + rank};
}

std::vector<float> Hdf5File::read_floats(const std::string& dataset,
                                         std::span<const std::uint64_t> expected) const {
  const std::vector<std::uint64_t> found = shape(dataset);
  if (!std::ranges::equal(found, expected)) {
    refuse(dataset, fmt::format("has the wrong shape: expected {}, found {}", shape_text(expected),
                                shape_text(found)));
  }
  const Hdf5Dataset opened = open_dataset(dataset);
  const Hdf5Type type(H5Dget_type(opened.get()));
  if (H5Tequal(type.get(), H5T_IEEE_F32LE) <= 0 && H5Tequal(type.get(), H5T_IEEE_F32BE) <= 0) {
    refuse(dataset, fmt::format("has the wrong type: expected float32, found {} of {} bytes",
                                type_kind(H5Tget_class(type.get())), H5Tget_size(type.get())));
  }
  std::size_t count = 1;
  for (const std::uint64_t side : expected) count *= side;
  check_storage(dataset, opened, count * sizeof(float));
  std::vector<float> values(count);
  if (H5Dread(opened.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    refuse(dataset, fmt::format("cannot be read: {}", hdf5_reason()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!(std::abs(values[i]) < max_magnitude)) {
      refuse(dataset, fmt::format("holds {} at position {}; expected finite values below {}",
                                  values[i], i, max_magnitude));
    }
  }
  return values;
}

void Hdf5File::check_storage(const std::string& name, const Hdf5Dataset& dataset,
                             std::uint64_t declared) const {
  const Hdf5Properties properties(H5Dget_create_plist(dataset.get()));
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout == H5D_VIRTUAL) refuse(name, "is a virtual dataset; expected its values in this file");
  if (layout != H5D_CONTIGUOUS) {
    refuse(name, "is stored compressed or in pieces; expected plain, contiguous values");
  }
  if (H5Pget_external_count(properties.get()) != 0) {
    refuse(name, "has external storage; expected its values in this file");
  }
  const std::uint64_t stored = H5Dget_storage_size(dataset.get());
  const haddr_t address = H5Dget_offset(dataset.get());
  if (stored != declared || address == HADDR_UNDEF || declared > bytes_ ||
      address > bytes_ - declared) {
    refuse(name, fmt::format("is incomplete: expected {} bytes within the file, found {}", declared,
                             address == HADDR_UNDEF ? 0 : stored));
  }
}

Hdf5Attribute Hdf5File::open_attribute(const std::string& object, const std::string& name) const {
  const Hdf5Object owner = open(object);
  const htri_t exists = H5Aexists(owner.get(), name.c_str());
  if (exists == 0) return {};
  Hdf5Attribute attribute(exists < 0 ? H5I_INVALID_HID
                                     : H5Aopen(owner.get(), name.c_str(), H5P_DEFAULT));
  if (!attribute) {
    refuse(object, fmt::format("has an unreadable attribute '{}': {}", name, hdf5_reason()));
  }
  const Hdf5Space space(H5Aget_space(attribute.get()));
  const hssize_t values = H5Sget_simple_extent_npoints(space.get());
  if (values < 0 || values > hssize_t{max_attribute_values} ||
      H5Aget_storage_size(attribute.get()) > max_attribute_bytes) {
    refuse(object, fmt::format("has an attribute '{}' of more than {} values or {} bytes", name,
                               max_attribute_values, max_attribute_bytes));
  }
  return attribute;
}

std::optional<std::vector<double>> Hdf5File::numbers(const std::string& object,
                                                     const std::string& name) const {
  const Hdf5Attribute attribute = open_attribute(object, name);
  if (!attribute) return std::nullopt;
  const Hdf5Type type(H5Aget_type(attribute.get()));
  const H5T_class_t kind = H5Tget_class(type.get());
  const Hdf5Space space(H5Aget_space(attribute.get()));
  std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
  if ((kind != H5T_INTEGER && kind != H5T_FLOAT) ||
      H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()) < 0) {
    refuse(object, fmt::format("has an attribute '{}' that does not hold numbers", name));
  }
  return values;
}

std::optional<std::vector<std::string>> Hdf5File::strings(const std::string& object,
                                                          const std::string& name) const {
  const Hdf5Attribute attribute = open_attribute(object, name);
  if (!attribute) return std::nullopt;
  const Hdf5Type type(H5Aget_type(attribute.get()));
  const Hdf5Space space(H5Aget_space(attribute.get()));
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
  std::vector<std::string> values;
  if (H5Tget_class(type.get()) != H5T_STRING) {
    refuse(object, fmt::format("has an attribute '{}' that does not hold text", name));
  }
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> texts(count, nullptr);
    const bool read = H5Aread(attribute.get(), type.get(), texts.data()) >= 0;
    for (const char* text : texts) {
      if (read && text != nullptr) values.emplace_back(text);
    }
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, texts.data());
    if (read) return values;
  } else {
    const std::size_t width = H5Tget_size(type.get());
    std::vector<char> text(count * width);
    if (H5Aread(attribute.get(), type.get(), text.data()) >= 0) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::string_view padded(text.data() + i * width, width);
        const std::size_t end = std::min(padded.find('\0'), padded.size());
        values.emplace_back(padded.substr(0, end));
      }
      return values;
    }
  }
  refuse(object, fmt::format("has an unreadable attribute '{}': {}", name, hdf5_reason()));
}

}  // namespace impasto
