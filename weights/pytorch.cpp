// SPDX-License-Identifier: MIT
#include "weights/pytorch.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "host/core/error.hpp"
#include "weights/pickle.hpp"

// The format: PyTorch, torch/serialization.py. An archive NAME/ has NAME/data.pkl, NAME/data/KEY for
// each storage and NAME/byteorder. The old form is five pickles (a magic number, a version, the
// machine, the object, the keys of its storages) and then each storage: how many elements it has, in
// 8 bytes, and the elements.

namespace impasto {
namespace {

using Kind = Pickle::Value::Kind;
using Place = Pickle::Place;

constexpr std::uint64_t max_pickle = std::uint64_t{8} << 20U;
constexpr int max_depth = 8;                 // of dicts in dicts
constexpr std::size_t max_tensors = 50'000;  // seen on the way, so that shared dicts stay cheap

/// The kinds of storage.
constexpr std::array storage_kinds = {
    NamedElementType{"FloatStorage", 4, ElementType::float32},
    NamedElementType{"HalfStorage", 2, ElementType::float16},
    NamedElementType{"BFloat16Storage", 2, ElementType::bfloat16},
    NamedElementType{"DoubleStorage", 8, ElementType::float64},
    NamedElementType{"LongStorage", 8},
    NamedElementType{"IntStorage", 4},
    NamedElementType{"ShortStorage", 2},
    NamedElementType{"CharStorage", 1},
    NamedElementType{"ByteStorage", 1},
    NamedElementType{"BoolStorage", 1},
};

/// By the name that a pickle has: "torch.FloatStorage", "torch.cuda.FloatStorage".
const NamedElementType* find_storage_kind(std::string_view name) {
  for (const std::string_view module : {"torch.cuda.", "torch."}) {
    if (!name.starts_with(module)) continue;
    const auto* const found =
        std::ranges::find(storage_kinds, name.substr(module.size()), &NamedElementType::name);
    if (found != storage_kinds.end()) return found;
  }
  return nullptr;
}

constexpr std::array<std::string_view, 4> callables = {
    "collections.OrderedDict", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter"};

PickleRules rules_for(const SourceFile& file) {
  return {[](std::string_view name) {
            return std::ranges::find(callables, name) != callables.end() ||
                   find_storage_kind(name) != nullptr;
          },
          [&file](const std::string& reason) {
            file.refuse(
                fmt::format("{}; expected a state dict, as torch.save(model.state_dict(), "
                            "'vgg.pth') writes it",
                            reason));
          }};
}

/// What a pickle says of a storage.
struct StorageRecord {
  std::string key;
  const NamedElementType* kind;
  std::uint64_t elements;
  std::uint64_t view = 0;  ///< where the tensor's part of it begins
};

/// A tensor as the pickle has it. Its storage is found afterwards.
struct TensorRecord {
  std::string name;
  StorageRecord storage;
  std::uint64_t offset;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;
};

/// Finds the tensors in what a pickle builds.
class StateDict {
 public:
  StateDict(const SourceFile& file, const Pickle& pickle) : file_(file), pickle_(pickle) {}

  std::vector<TensorRecord> list() {
    if (pickle_[pickle_.root].kind != Kind::dict) {
      file_.refuse("it holds no dict of tensors; expected a state dict");
    }
    visit(pickle_.root, "", 0);
    return std::move(found_);
  }

 private:
  void visit(Place place, const std::string& name, int depth) {
    if (++visited_ > max_tensors) {
      file_.refuse(fmt::format("it holds more than {} tensors", max_tensors));
    }
    const Pickle::Value& value = pickle_[place];
    if (value.kind == Kind::dict && depth < max_depth) {
      for (std::size_t i = 0; i < value.items.size(); i += 2) {
        const std::string_view key = pickle_.text(value.items[i]);
        if (key.empty()) continue;
        visit(value.items[i + 1], name.empty() ? std::string(key) : fmt::format("{}.{}", name, key),
              depth + 1);
      }
    } else if (value.kind == Kind::call) {
      add_tensor(value, name);
    }
  }

  void add_tensor(const Pickle::Value& call, const std::string& name) {
    const std::string& function = pickle_[call.items[0]].text;
    const std::vector<Place>& arguments = pickle_[call.items[1]].items;
    if (function == "torch._utils._rebuild_parameter" && !arguments.empty()) {
      const Pickle::Value& inner = pickle_[arguments[0]];
      const bool tensor = inner.kind == Kind::call &&
                          pickle_[inner.items[0]].text != "torch._utils._rebuild_parameter";
      if (!tensor) file_.refuse(fmt::format("{} is a parameter without a tensor", name));
      add_tensor(inner, name);
      return;
    }
    if (arguments.size() < 4) file_.refuse(fmt::format("{} is no tensor", name));
    const StorageRecord storage = storage_of(arguments[0], name);
    found_.push_back({name, storage, storage.view + whole(arguments[1], name),
                      numbers(arguments[2], name), numbers(arguments[3], name)});
  }

  /// ("storage", its kind, its key, where it was, how many elements, a view of it or none).
  StorageRecord storage_of(Place place, const std::string& name) const {
    const Pickle::Value& persistent = pickle_[place];
    const std::vector<Place> none;
    const std::vector<Place>& parts =
        persistent.kind == Kind::persistent ? pickle_[persistent.items[0]].items : none;
    if (parts.size() < 5 || pickle_.text(parts[0]) != "storage" ||
        pickle_[parts[1]].kind != Kind::global) {
      file_.refuse(fmt::format("{} has no storage", name));
    }
    const NamedElementType* kind = find_storage_kind(pickle_[parts[1]].text);
    const std::string key(pickle_.text(parts[2]));
    if (kind == nullptr || key.empty()) file_.refuse(fmt::format("{} has no storage", name));
    StorageRecord storage{key, kind, whole(parts[4], name)};
    if (parts.size() > 5 && pickle_[parts[5]].kind == Kind::tuple) {
      const std::vector<Place>& view = pickle_[parts[5]].items;
      if (view.size() != 3) file_.refuse(fmt::format("{} has a damaged view", name));
      storage.view = whole(view[1], name);
    }
    return storage;
  }

  /// A number that is not negative and far from where sums overflow.
  std::uint64_t whole(Place place, const std::string& name) const {
    const Pickle::Value& value = pickle_[place];
    if (value.kind != Kind::integer || value.integer < 0 || value.integer >> 40U != 0) {
      file_.refuse(fmt::format("{} has a size or position that cannot be", name));
    }
    return static_cast<std::uint64_t>(value.integer);
  }

  std::vector<std::uint64_t> numbers(Place place, const std::string& name) const {
    if (pickle_[place].kind != Kind::tuple) {
      file_.refuse(fmt::format("{} has no shape", name));
    }
    std::vector<std::uint64_t> values;
    for (const Place item : pickle_[place].items) values.push_back(whole(item, name));
    return values;
  }

  const SourceFile& file_;
  const Pickle& pickle_;
  std::vector<TensorRecord> found_;
  std::size_t visited_ = 0;
};

StoredTensor join(const TensorRecord& record, const SourceFile& storage) {
  return {record.name,  record.storage.kind->type, record.shape, record.strides, storage,
          record.offset};
}

/// The folder that all of an archive is in, with its slash: "archive/".
std::optional<std::string> root_of(const ZipFile& archive) {
  constexpr std::string_view pickle = "data.pkl";
  for (const ZipFile::Entry& entry : archive.entries()) {
    if (!entry.name.ends_with(pickle)) continue;
    const std::string root = entry.name.substr(0, entry.name.size() - pickle.size());
    if (root.ends_with('/') && root.find('/') == root.size() - 1) return root;
  }
  return std::nullopt;
}

}  // namespace

bool is_pytorch(const ZipFile& archive) { return root_of(archive).has_value(); }

std::vector<StoredTensor> list_pytorch(const ZipFile& archive) {
  const std::string root = root_of(archive).value();
  const auto content = [&](const std::string& name, std::uint64_t most) {
    const SourceFile part = archive.open(*archive.find(root + name), most);
    return std::pair(part, part.head(part.bytes()));
  };
  const auto [file, bytes] = content("data.pkl", max_pickle);
  if (archive.find(root + "byteorder") != nullptr &&
      content("byteorder", 16).second.find("little") == std::string::npos) {
    file.refuse("it was written on a big-endian machine; expected little-endian");
  }
  if (archive.find(root + "constants.pkl") != nullptr) {
    file.refuse(
        "it is a TorchScript program; expected a state dict, as "
        "torch.save(model.state_dict(), 'vgg.pth') writes it");
  }
  std::vector<StoredTensor> tensors;
  const Pickle pickle = read_pickle(bytes, rules_for(file));
  for (const TensorRecord& record : StateDict(file, pickle).list()) {
    const ZipFile::Entry* entry = archive.find(fmt::format("{}data/{}", root, record.storage.key));
    const std::uint64_t expected = record.storage.elements * record.storage.kind->bytes;
    if (entry == nullptr || entry->deflated || entry->bytes != expected) {
      file.refuse(
          fmt::format("{} has its values in data/{}, expected there: {} bytes, not "
                      "compressed; found: {}",
                      record.name, record.storage.key, expected,
                      entry == nullptr  ? "nothing"
                      : entry->deflated ? "compressed ones"
                                        : fmt::format("{} bytes", entry->bytes)));
    }
    tensors.push_back(join(record, archive.open(*entry, expected)));
  }
  return tensors;
}

std::vector<StoredTensor> list_old_pytorch(const SourceFile& file) {
  const std::string bytes = file.head(max_pickle);
  std::size_t at = 0;
  const PickleRules rules = rules_for(file);
  const auto next = [&] {
    Pickle pickle = read_pickle(std::string_view(bytes).substr(at), rules);
    at += pickle.bytes;
    return pickle;
  };
  constexpr std::string_view magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  const Pickle head = next();
  if (head[head.root].text != magic) {
    file.refuse("it is a pickle, but not one of PyTorch's files");
  }
  next();  // the version of the format, 1001 ever since
  const Pickle machine = next();
  const std::vector<Place>& facts = machine[machine.root].items;
  for (std::size_t i = 0; i + 1 < facts.size(); i += 2) {
    if (machine.text(facts[i]) == "little_endian" && machine[facts[i + 1]].integer == 0) {
      file.refuse("it was written on a big-endian machine; expected little-endian");
    }
  }
  const Pickle object = next();
  const std::vector<TensorRecord> records = StateDict(file, object).list();
  const Pickle keys = next();

  std::map<std::string_view, const StorageRecord*> expected;
  for (const TensorRecord& record : records) {
    const auto& [key, other] = *expected.try_emplace(record.storage.key, &record.storage).first;
    if (other->kind != record.storage.kind || other->elements != record.storage.elements) {
      file.refuse(fmt::format("{} has a storage of two kinds or sizes", record.name));
    }
  }
  std::map<std::string_view, SourceFile> storages;
  std::uint64_t position = at;
  for (const Place key : keys[keys.root].items) {
    const auto found = expected.find(keys.text(key));
    if (found == expected.end()) {
      file.refuse(fmt::format("it has a storage '{}' that belongs to no tensor", keys.text(key)));
    }
    std::array<char, 8> raw{};
    file.read(position, raw);
    std::uint64_t elements = 0;
    for (std::size_t i = raw.size(); i-- > 0;) {
      elements = elements << 8U | static_cast<unsigned char>(raw.at(i));
    }
    const StorageRecord& storage = *found->second;
    if (elements != storage.elements) {
      file.refuse(fmt::format("the storage '{}' has {} elements; expected {}", storage.key,
                              elements, storage.elements));
    }
    position += raw.size();
    const std::uint64_t size = elements * storage.kind->bytes;
    if (!storages.try_emplace(storage.key, file.part(position, size)).second) {
      file.refuse(fmt::format("it has the storage '{}' twice", storage.key));
    }
    position += size;
  }
  std::vector<StoredTensor> tensors;
  for (const TensorRecord& record : records) {
    const auto storage = storages.find(record.storage.key);
    if (storage == storages.end()) {
      file.refuse(fmt::format("{} has a storage '{}' that the file lacks", record.name,
                              record.storage.key));
    }
    tensors.push_back(join(record, storage->second));
  }
  return tensors;
}

}  // namespace impasto
