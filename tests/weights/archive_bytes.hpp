// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

// Files as torch.save() and safetensors write them, and the zip archives around them.

namespace zip {

struct Entry {
  std::string name;
  std::string content;
  bool deflated = false;
};

/// How the archive says its sizes and offsets.
enum class Form : std::uint8_t {
  plain,  ///< in 32 bits
  zip64,  ///< in 64 bits, all of them
};

std::string archive(std::span<const Entry> entries, Form form = Form::plain);

}  // namespace zip

namespace pickle {

// Pieces of a pickle, protocol 2. A pickle is begin() and the pieces of one value, then end().
std::string begin();
std::string end();
std::string text(std::string_view letters);
std::string integer(std::int64_t value);
std::string global(std::string_view module, std::string_view name);
std::string tuple(std::span<const std::string> items);
std::string list(std::span<const std::string> items);
/// An OrderedDict, as state_dict() gives; keys and values in turn.
std::string dict(std::span<const std::string> items);
std::string call(const std::string& function, std::span<const std::string> arguments);

}  // namespace pickle

namespace torch {

/// A tensor of float32, in its order unless `strides` say another.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  std::vector<std::int64_t> strides = {};
};

/// The pieces that make a tensor of the storage `key`, which has `elements`.
std::string tensor(const Tensor& tensor, std::string_view key, std::int64_t elements,
                   std::int64_t offset = 0);

/// A dict of tensors with the storages "0", "1", ..., one each.
std::string state_dict(std::span<const Tensor> tensors);

/// torch.save() since PyTorch 1.6; `object` is what data.pkl holds.
std::string saved(const std::string& object, std::span<const Tensor> storages);
/// torch.save() before.
std::string saved_before(const std::string& object, std::span<const Tensor> storages);

std::string safetensors(std::span<const Tensor> tensors);
/// Any text before any values.
std::string safetensors(std::string_view json, std::string_view values);

}  // namespace torch

}  // namespace impasto
