// SPDX-License-Identifier: MIT
#include "tests/weights/archive_bytes.hpp"

#include <array>
#include <fmt/format.h>
#include <stdexcept>
#include <zlib.h>

namespace impasto {
namespace {

/// Little-endian, in as many bytes.
std::string number(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (; bytes.size() < width; value >>= 8U) bytes += static_cast<char>(value & 0xFFU);
  return bytes;
}

std::string deflate(const std::string& content) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  const std::size_t used = packed.size() - stream.avail_out;
  deflateEnd(&stream);
  return packed.substr(0, used);
}

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

namespace zip {

std::string archive(std::span<const Entry> entries, Form form) {
  const bool wide = form == Form::zip64;
  std::string file;
  std::string directory;
  for (const Entry& entry : entries) {
    const std::string stored = entry.deflated ? deflate(entry.content) : entry.content;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(entry.content.data()),
                           static_cast<uInt>(entry.content.size()));
    const std::string method = number(entry.deflated ? 8 : 0, 2);
    const std::string times = number(0, 4);
    const std::size_t begin = file.size();
    const auto size = [&](std::uint64_t value) { return number(wide ? 0xFFFFFFFF : value, 4); };
    std::string extra;
    if (wide) {
      extra = number(1, 2) + number(24, 2) + number(entry.content.size(), 8) +
              number(stored.size(), 8) + number(begin, 8);
    }
    // The local header leaves the sizes to the directory, as PyTorch's writer does.
    file += number(0x04034B50, 4) + number(20, 2) + number(8, 2) + method + times + number(0, 12) +
            number(entry.name.size(), 2) + number(3, 2) + entry.name + "pad" + stored;
    directory += number(0x02014B50, 4) + number(20, 2) + number(20, 2) + number(8, 2) + method +
                 times + number(crc, 4) + size(stored.size()) + size(entry.content.size()) +
                 number(entry.name.size(), 2) + number(extra.size(), 2) + number(0, 10) +
                 size(begin) + entry.name + extra;
  }
  const std::uint64_t begin = file.size();
  const std::uint64_t count = entries.size();
  file += directory;
  if (wide) {
    const std::uint64_t record = file.size();
    file += number(0x06064B50, 4) + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) +
            number(count, 8) + number(count, 8) + number(directory.size(), 8) + number(begin, 8);
    file += number(0x07064B50, 4) + number(0, 4) + number(record, 8) + number(1, 4);
  }
  const std::uint64_t shown = wide ? 0xFFFFFFFF : 0;
  return file + number(0x06054B50, 4) + number(0, 4) + number(wide ? 0xFFFF : count, 2) +
         number(wide ? 0xFFFF : count, 2) + number(wide ? shown : directory.size(), 4) +
         number(wide ? shown : begin, 4) + number(0, 2);
}

}  // namespace zip

namespace pickle {

std::string begin() { return "\x80\x02"; }
std::string end() { return "."; }
std::string text(std::string_view letters) {
  return "X" + number(letters.size(), 4) + std::string(letters);
}
std::string integer(std::int64_t value) {
  return "\x8A\x08" + number(static_cast<std::uint64_t>(value), 8);
}
std::string global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}
std::string tuple(std::span<const std::string> items) {
  return fmt::format("({}t", fmt::join(items, ""));
}
std::string list(std::span<const std::string> items) {
  return fmt::format("]({}e", fmt::join(items, ""));
}
std::string dict(std::span<const std::string> items) {
  return global("collections", "OrderedDict") + fmt::format(")R({}u", fmt::join(items, ""));
}
std::string call(const std::string& function, std::span<const std::string> arguments) {
  return function + tuple(arguments) + "R";
}

}  // namespace pickle

namespace torch {

namespace {

std::string integers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(pickle::integer(value));
  return pickle::tuple(items);
}

std::vector<std::int64_t> strides_of(const Tensor& tensor) {
  if (!tensor.strides.empty()) return tensor.strides;
  std::vector<std::int64_t> strides(tensor.shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = strides.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= tensor.shape[axis];
  }
  return strides;
}

}  // namespace

std::string tensor(const Tensor& tensor, std::string_view key, std::int64_t elements,
                   std::int64_t offset) {
  const std::string storage =
      pickle::tuple(std::array{pickle::text("storage"), pickle::global("torch", "FloatStorage"),
                               pickle::text(key), pickle::text("cpu"), pickle::integer(elements)}) +
      "Q";
  const std::string no_hooks = pickle::dict({});
  return pickle::call(pickle::global("torch._utils", "_rebuild_tensor_v2"),
                      std::array{storage, pickle::integer(offset), integers(tensor.shape),
                                 integers(strides_of(tensor)), std::string("\x89"), no_hooks});
}

std::string state_dict(std::span<const Tensor> tensors) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    items.push_back(pickle::text(tensors[i].name));
    items.push_back(
        tensor(tensors[i], std::to_string(i), static_cast<std::int64_t>(tensors[i].values.size())));
  }
  return pickle::dict(items);
}

std::string saved(const std::string& object, std::span<const Tensor> storages) {
  std::vector<zip::Entry> entries = {
      {"archive/data.pkl", pickle::begin() + object + pickle::end()}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    entries.push_back({fmt::format("archive/data/{}", i), bytes_of(storages[i].values)});
  }
  entries.push_back({"archive/version", "3\n"});
  return zip::archive(entries, zip::Form::zip64);
}

std::string saved_before(const std::string& object, std::span<const Tensor> storages) {
  const auto whole = [](const std::string& value) {
    return pickle::begin() + value + pickle::end();
  };
  std::string file = whole("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19");
  file += whole(pickle::integer(1001));
  file += whole(pickle::dict(std::array<std::string, 2>{pickle::text("little_endian"), "\x88"}));
  file += whole(object);
  std::vector<std::string> keys;
  std::string values;
  // Not in the order of the dict, as PyTorch sorts the keys as texts.
  for (std::size_t i = storages.size(); i-- > 0;) {
    keys.push_back(pickle::text(std::to_string(i)));
    values += number(storages[i].values.size(), 8) + bytes_of(storages[i].values);
  }
  return file + whole(pickle::list(keys)) + values;
}

std::string safetensors(std::span<const Tensor> tensors) {
  std::string json = R"({"__metadata__":{"format":"pt"})";
  std::string values;
  for (const Tensor& tensor : tensors) {
    const std::size_t begin = values.size();
    values += bytes_of(tensor.values);
    json += fmt::format(R"(,"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                        tensor.name, fmt::join(tensor.shape, ","), begin, values.size());
  }
  return safetensors(json + "}", values);
}

std::string safetensors(std::string_view json, std::string_view values) {
  return number(json.size(), 8) + std::string(json) + std::string(values);
}

}  // namespace torch

}  // namespace impasto
