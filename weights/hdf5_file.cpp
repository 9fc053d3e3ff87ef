// SPDX-License-Identifier: MIT
#include "weights/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "host/core/error.hpp"

// The format: The HDF Group, "HDF5 File Format Specification", version 1.1 (superblock 0). A file
// is a superblock and objects; an object is a header of messages. What a message means depends on
// its type: the dimensions of a dataset, where its values are, an attribute. A group's links are in
// a tree of symbol tables or, once it holds an external link, in messages.

namespace impasto {
namespace {

constexpr std::uint64_t undefined_address = ~std::uint64_t{0};

constexpr std::uint64_t max_block = std::uint64_t{1} << 20U;  // in memory at once
constexpr std::size_t max_chunks = 256;                       // of a header
constexpr std::size_t max_messages = 4096;                    // of a header
constexpr std::size_t max_members = 256;                      // of a group
constexpr std::size_t max_nodes = 1024;                       // of a group's tree, with its leaves
constexpr std::uint64_t max_children = 512;                   // of a node
constexpr unsigned max_levels = 8;                            // of a group's tree
constexpr std::uint64_t max_name = 1024;
constexpr unsigned max_rank = 32;
constexpr std::size_t max_attribute_values = 1024;
constexpr std::size_t max_attribute_bytes = std::size_t{64} << 10U;
constexpr float max_magnitude = 1e4F;

enum MessageType : unsigned {
  dataspace_message = 0x01,
  link_info_message = 0x02,
  datatype_message = 0x03,
  link_message = 0x06,
  external_files_message = 0x07,
  layout_message = 0x08,
  attribute_message = 0x0C,
  continuation_message = 0x10,
  symbol_table_message = 0x11,
};

enum TypeClass : unsigned { integer_class = 0, float_class = 1, string_class = 3 };
enum LayoutClass : unsigned { contiguous_layout = 1, virtual_layout = 3 };
enum LinkKind : unsigned { hard_link = 0, soft_link = 1, external_link = 64 };

/// Numbers and bytes from the front of a block to its end, beyond which nothing is read.
class Cursor {
 public:
  using Ended = std::function<void()>;

  /// `ended` throws.
  Cursor(std::span<const char> bytes, Ended ended) : rest_(bytes), ended_(std::move(ended)) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  std::span<const char> take(std::uint64_t count) {
    if (count > rest_.size()) ended_();
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  void skip(std::uint64_t count) { take(count); }
  /// A little-endian number of up to 8 bytes.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    std::size_t shift = 0;
    for (const char byte : take(bytes)) {
      value |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
      shift += 8;
    }
    return value;
  }
  /// The bytes up to the next zero, which is passed over.
  std::string text() {
    const auto zero = std::ranges::find(rest_, '\0');
    if (zero == rest_.end()) ended_();
    const auto letters = take(static_cast<std::size_t>(zero - rest_.begin()));
    skip(1);
    return {letters.begin(), letters.end()};
  }

 private:
  std::span<const char> rest_;
  Ended ended_;
};

std::vector<std::uint64_t> read_dataspace(Cursor from, const Cursor::Ended& refuse) {
  const std::uint64_t version = from.number(1);
  const std::uint64_t rank = from.number(1);
  from.skip(1);  // whether the largest shape follows
  const std::uint64_t kind = from.number(1);
  constexpr std::uint64_t null_space = 2;
  if (version < 1 || version > 2 || rank > max_rank || (version == 2 && kind == null_space)) {
    refuse();
  }
  if (version == 1) from.skip(4);
  std::vector<std::uint64_t> shape;
  for (std::uint64_t i = 0; i < rank; ++i) shape.push_back(from.number(8));
  return shape;
}

}  // namespace

/// How values are stored.
struct StoredType {
  unsigned kind;  ///< a TypeClass, or another
  std::uint64_t size;
  bool standard = false;  ///< an integer without unused bits or a number by IEEE 754
  bool big_endian = false;
  bool is_signed = false;

  [[nodiscard]] bool is_float32() const { return kind == float_class && standard && size == 4; }
};

namespace {

bool is_ieee(std::uint64_t flags, std::uint64_t size, std::span<const char> layout) {
  using Layout = std::array<unsigned char, 12>;  // offset, precision, fields of bits, bias
  constexpr Layout ieee32 = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};
  constexpr Layout ieee64 = {0, 0, 64, 0, 52, 11, 0, 52, 0xFF, 3, 0, 0};
  constexpr std::uint64_t implied_bit = 0x20;
  const std::uint64_t sign = size * 8 - 1;
  if ((size != 4 && size != 8) || (flags & ~std::uint64_t{1}) != (implied_bit | sign << 8U)) {
    return false;
  }
  return std::memcmp(layout.data(), size == 4 ? ieee32.data() : ieee64.data(), layout.size()) == 0;
}

StoredType read_type(Cursor from) {
  const std::uint64_t head = from.number(1);
  const std::uint64_t flags = from.number(3);
  StoredType type{static_cast<unsigned>(head & 15U), from.number(4)};
  if (type.kind == integer_class) {
    const std::uint64_t offset = from.number(2);
    const std::uint64_t precision = from.number(2);
    const bool whole = type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
    type.standard = whole && offset == 0 && precision == 8 * type.size;
    type.is_signed = (flags & 8U) != 0;
  } else if (type.kind == float_class) {
    type.standard = is_ieee(flags, type.size, from.take(12));
  }
  type.big_endian = (flags & 1U) != 0;
  return type;
}

std::string_view type_name(unsigned kind) {
  constexpr unsigned compound_class = 6;
  switch (kind) {
    case float_class: return "floating point";
    case integer_class: return "integers";
    case string_class: return "text";
    case compound_class: return "records";
    default: return "values of another kind";
  }
}

/// One value of a standard type, with its bytes in any order.
double to_number(std::span<const char> value, const StoredType& type) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::size_t at = type.big_endian ? i : value.size() - 1 - i;
    bits = bits << 8U | static_cast<unsigned char>(value[at]);
  }
  if (type.kind == float_class) {
    return type.size == 8 ? std::bit_cast<double>(bits)
                          : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  }
  if (!type.is_signed) return static_cast<double>(bits);
  const std::uint64_t unused = 64 - 8 * type.size;
  return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> static_cast<int>(unused));
}

std::string join(const std::string& group, const std::string& name) {
  return (group == "/" ? "" : group) + "/" + name;
}

}  // namespace

struct Hdf5File::Message {
  unsigned type;
  bool shared;  ///< it only says where the message is
  std::vector<char> data;
};

struct Hdf5File::Link {
  std::string name;
  unsigned kind;
  std::uint64_t address;  ///< of a hard link's object
};

struct Hdf5File::Attribute {
  StoredType type;
  std::size_t count;
  std::vector<char> values;
};

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

// The file.

Hdf5File::Hdf5File(SourceFile file) : file_(std::move(file)) { read_superblock(); }

void Hdf5File::refuse(const std::string& object, const std::string& reason) const {
  file_.refuse(fmt::format("{} {}", object, reason));
}

std::vector<char> Hdf5File::read(const std::string& object, std::uint64_t address,
                                 std::uint64_t count) const {
  if (count > max_block || count > file_.bytes() || address > file_.bytes() - count) {
    refuse(object, fmt::format("is damaged: it points to {} bytes at {}, the file has {}", count,
                               address, file_.bytes()));
  }
  std::vector<char> block(count);
  file_.read(address, block);
  return block;
}

void Hdf5File::read_superblock() {
  const auto refuse_file = [&](const std::string& reason) {
    fail(ErrorKind::weights, "weights '{}' cannot be read as HDF5: {}", path(), reason);
  };
  constexpr std::uint64_t size = 96;
  if (file_.bytes() < size) refuse_file("truncated file");
  const std::vector<char> block = read("/", 0, size);
  Cursor from(block, [&] { refuse_file("truncated file"); });
  from.skip(8);  // the signature
  if (const std::uint64_t version = from.number(1); version != 0) {
    refuse_file(
        fmt::format("superblock {}, expected 0, the original file format; "
                    "'h5repack --low=0 IN OUT' writes it",
                    version));
  }
  from.skip(4);
  if (from.number(1) != 8 || from.number(1) != 8) {
    refuse_file("its offsets and lengths do not have 8 bytes");
  }
  from.skip(9);
  const std::uint64_t base = from.number(8);
  from.skip(8);
  const std::uint64_t end = from.number(8);
  const std::uint64_t driver = from.number(8);
  if (base != 0 || driver != undefined_address)
    refuse_file("its addresses do not count from its beginning");
  if (end > file_.bytes()) {
    refuse_file(fmt::format("truncated file: expected {} bytes, found {}", end, file_.bytes()));
  }
  from.skip(8);
  root_ = from.number(8);
}

// Objects.

Hdf5File::Header Hdf5File::read_header(const std::string& object, std::uint64_t address) const {
  const auto ended = [&] { refuse(object, "has a damaged header"); };
  constexpr std::uint64_t prefix = 16;
  const std::vector<char> begin = read(object, address, prefix);
  Cursor head(begin, ended);
  if (std::string_view(begin.data(), 4) == "OHDR") {
    refuse(object,
           "is written in HDF5's newer file format; 'h5repack --low=0 IN OUT' writes the original");
  }
  if (head.number(1) != 1) ended();
  head.skip(7);
  const std::uint64_t first = head.number(4);

  struct Chunk {
    std::uint64_t address;
    std::uint64_t size;
  };
  std::vector<Chunk> chunks = {{address + prefix, first}};
  Header header;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const Chunk chunk = chunks[i];
    if (chunk.size > max_block - total || i >= max_chunks) {
      refuse(object,
             fmt::format("has a header of more than {} bytes or {} pieces", max_block, max_chunks));
    }
    total += chunk.size;
    const std::vector<char> block = read(object, chunk.address, chunk.size);
    Cursor from(block, ended);
    constexpr std::size_t message_head = 8;
    while (from.left() >= message_head) {
      const auto type = static_cast<unsigned>(from.number(2));
      const std::uint64_t size = from.number(2);
      const bool shared = (from.number(1) & 2U) != 0;
      from.skip(3);
      const auto data = from.take(size);
      if (type == continuation_message) {
        Cursor where(data, ended);
        const std::uint64_t next = where.number(8);
        chunks.push_back({next, where.number(8)});
        continue;
      }
      if (header.size() == max_messages) {
        refuse(object, fmt::format("has a header of more than {} messages", max_messages));
      }
      header.push_back({type, shared, {data.begin(), data.end()}});
    }
  }
  return header;
}

/// The first message of a type, or nullptr.
const Hdf5File::Message* Hdf5File::find(const std::string& object, const Header& header,
                                        unsigned type) const {
  const auto found = std::ranges::find(header, type, &Message::type);
  if (found == header.end()) return nullptr;
  if (found->shared) refuse(object, "shares its description with other objects");
  return &*found;
}

Hdf5File::Header Hdf5File::open(const std::string& object) const {
  std::string at = "/";
  Header header = read_header(at, root_);
  std::size_t begin = 1;
  while (begin < object.size()) {
    const std::size_t end = std::min(object.find('/', begin), object.size());
    const std::vector<Link> all = links(at, header);
    const auto link = std::ranges::find(all, object.substr(begin, end - begin), &Link::name);
    if (link == all.end()) refuse(object, "is missing");
    require_hard(at, *link);
    at = object.substr(0, end);
    header = read_header(at, link->address);
    begin = end + 1;
  }
  return header;
}

// Groups.

std::vector<Hdf5File::Link> Hdf5File::links(const std::string& group, const Header& header) const {
  std::vector<Link> found;
  if (const Message* table = find(group, header, symbol_table_message)) {
    read_symbols(group, *table, found);
    return found;
  }
  const Message* info = find(group, header, link_info_message);
  if (info == nullptr) refuse(group, "is not a group");
  Cursor from(info->data, [&] { refuse(group, "has a damaged header"); });
  from.skip(1);
  if ((from.number(1) & 1U) != 0) from.skip(8);  // creation order
  if (from.number(8) != undefined_address) {
    refuse(group,
           "is written in HDF5's newer file format; 'h5repack --low=0 IN OUT' writes the original");
  }
  for (const Message& message : header) {
    if (message.type != link_message) continue;
    if (found.size() == max_members) {
      refuse(group, fmt::format("holds more than {} objects", max_members));
    }
    found.push_back(read_link(group, message));
  }
  return found;
}

/// The links of a group's symbol tables: the leaves of a tree, with the names in a heap beside it.
void Hdf5File::read_symbols(const std::string& group, const Message& table,
                            std::vector<Link>& found) const {
  const auto damaged = [&] { refuse(group, "has a damaged symbol table"); };
  const auto expect = [&](Cursor& from, std::string_view signature) {
    if (!std::ranges::equal(from.take(signature.size()), signature)) damaged();
  };
  Cursor where(table.data, damaged);
  const std::uint64_t root = where.number(8);

  const std::vector<char> heap_head = read(group, where.number(8), 32);
  Cursor head(heap_head, damaged);
  expect(head, "HEAP");
  head.skip(4);
  const std::uint64_t heap_size = head.number(8);
  head.skip(8);
  const std::vector<char> heap = read(group, head.number(8), heap_size);

  std::size_t nodes = 0;
  const auto read_leaf = [&](std::uint64_t address) {
    if (++nodes > max_nodes) damaged();
    constexpr std::uint64_t leaf_head = 8;
    constexpr std::uint64_t entry_size = 40;
    const std::vector<char> begin = read(group, address, leaf_head);
    Cursor leaf(begin, damaged);
    expect(leaf, "SNOD");
    leaf.skip(2);
    const std::uint64_t count = leaf.number(2);
    if (count > max_members) damaged();
    const std::vector<char> block = read(group, address + leaf_head, count * entry_size);
    Cursor entries(block, damaged);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (found.size() == max_members) {
        refuse(group, fmt::format("holds more than {} objects", max_members));
      }
      const std::uint64_t name_at = entries.number(8);
      const std::uint64_t object = entries.number(8);
      const std::uint64_t cached = entries.number(4);
      entries.skip(20);
      if (name_at > heap.size()) damaged();
      const auto longest = std::min<std::uint64_t>(heap.size() - name_at, max_name + 1);
      Cursor name(std::span(heap.data() + name_at, longest), damaged);
      constexpr std::uint64_t caches_soft_link = 2;
      found.push_back({name.text(), cached == caches_soft_link ? soft_link : hard_link, object});
    }
  };

  const std::function<void(std::uint64_t, std::uint64_t)> read_node = [&](std::uint64_t address,
                                                                          std::uint64_t below) {
    if (++nodes > max_nodes) damaged();
    constexpr std::uint64_t node_head = 24;
    constexpr std::uint64_t key_size = 8;
    const std::vector<char> begin = read(group, address, node_head);
    Cursor node(begin, damaged);
    expect(node, "TREE");
    const std::uint64_t kind = node.number(1);
    const std::uint64_t level = node.number(1);
    const std::uint64_t count = node.number(2);
    if (kind != 0 || level >= below || count > max_children) damaged();
    const std::vector<char> block =
        read(group, address + node_head, count * (key_size + 8) + key_size);
    Cursor children(block, damaged);
    for (std::uint64_t i = 0; i < count; ++i) {
      children.skip(key_size);
      const std::uint64_t child = children.number(8);
      if (level == 0) {
        read_leaf(child);
      } else {
        read_node(child, level);
      }
    }
  };
  read_node(root, max_levels);
}

Hdf5File::Link Hdf5File::read_link(const std::string& group, const Message& message) const {
  const auto damaged = [&] { refuse(group, "has a damaged link"); };
  Cursor from(message.data, damaged);
  if (message.shared || from.number(1) != 1) damaged();
  const std::uint64_t flags = from.number(1);
  Link link{{}, hard_link, undefined_address};
  if ((flags & 8U) != 0) link.kind = static_cast<unsigned>(from.number(1));
  if ((flags & 4U) != 0) from.skip(8);   // creation order
  if ((flags & 16U) != 0) from.skip(1);  // character set
  const auto name = from.take(from.number(std::size_t{1} << (flags & 3U)));
  link.name.assign(name.begin(), name.end());
  if (link.kind == hard_link) link.address = from.number(8);
  return link;
}

void Hdf5File::require_hard(const std::string& group, const Link& link) const {
  if (link.kind == hard_link) return;
  const std::string_view kind = link.kind == soft_link       ? "a soft link"
                                : link.kind == external_link ? "an external link"
                                                             : "a link of unknown kind";
  refuse(join(group, link.name), fmt::format("is {}; expected an object of this file", kind));
}

bool Hdf5File::contains(const std::string& group, const std::string& name) const {
  const std::vector<Link> all = links(group, open(group));
  const auto found = std::ranges::find(all, name, &Link::name);
  if (found == all.end()) return false;
  require_hard(group, *found);
  return true;
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  std::vector<std::string> names;
  for (const Link& link : links(group, open(group))) {
    require_hard(group, link);
    names.push_back(link.name);
  }
  std::ranges::sort(names);
  return names;
}

bool Hdf5File::is_group(const std::string& object) const {
  return std::ranges::any_of(open(object), [](const Message& message) {
    return message.type == symbol_table_message || message.type == link_info_message;
  });
}

// Datasets.

std::vector<std::uint64_t> Hdf5File::shape(const std::string& dataset) const {
  const Header header = open(dataset);
  const Message* space = find(dataset, header, dataspace_message);
  if (space == nullptr) refuse(dataset, "is not a dataset");
  const auto damaged = [&] { refuse(dataset, "has no shape"); };
  return read_dataspace(Cursor(space->data, damaged), damaged);
}

std::vector<float> Hdf5File::read_floats(const std::string& dataset,
                                         std::span<const std::uint64_t> expected) const {
  const std::vector<std::uint64_t> found = shape(dataset);
  if (!std::ranges::equal(found, expected)) {
    refuse(dataset, fmt::format("has the wrong shape: expected {}, found {}", shape_text(expected),
                                shape_text(found)));
  }
  const auto damaged = [&] { refuse(dataset, "has a damaged header"); };
  const Header header = open(dataset);
  const Message* stored_type = find(dataset, header, datatype_message);
  const Message* layout = find(dataset, header, layout_message);
  if (stored_type == nullptr || layout == nullptr) refuse(dataset, "is not a dataset");
  const StoredType type = read_type(Cursor(stored_type->data, damaged));
  if (!type.is_float32()) {
    refuse(dataset, fmt::format("has the wrong type: expected float32, found {} of {} bytes",
                                type_name(type.kind), type.size));
  }

  Cursor where(layout->data, damaged);
  const std::uint64_t version = where.number(1);
  const std::uint64_t kind = where.number(1);
  if (version < 3 || version > 4) damaged();
  if (kind == virtual_layout) {
    refuse(dataset, "is a virtual dataset; expected its values in this file");
  }
  if (kind != contiguous_layout) {
    refuse(dataset, "is stored compressed or in pieces; expected plain, contiguous values");
  }
  if (find(dataset, header, external_files_message) != nullptr) {
    refuse(dataset, "has external storage; expected its values in this file");
  }
  std::uint64_t count = 1;
  for (const std::uint64_t side : expected) count *= side;
  const std::uint64_t declared = count * sizeof(float);
  const std::uint64_t address = where.number(8);
  const std::uint64_t stored = address == undefined_address ? 0 : where.number(8);
  if (stored != declared) {
    refuse(dataset, fmt::format("is incomplete: expected {} bytes within the file, found {}",
                                declared, stored));
  }
  if (declared > file_.bytes() || address > file_.bytes() - declared) {
    refuse(dataset, fmt::format("is incomplete: its {} bytes at {} lie outside the file of {}",
                                declared, address, file_.bytes()));
  }

  std::vector<float> values(count);
  file_.read(address, {reinterpret_cast<char*>(values.data()), declared});
  for (std::size_t i = 0; i < count; ++i) {
    if (type.big_endian) {
      const auto bytes = std::as_bytes(std::span(&values[i], 1));
      values[i] = static_cast<float>(
          to_number({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, type));
    }
    if (!(std::abs(values[i]) < max_magnitude)) {
      refuse(dataset, fmt::format("holds {} at position {}; expected finite values below {}",
                                  values[i], i, max_magnitude));
    }
  }
  return values;
}

// Attributes.

std::optional<Hdf5File::Attribute> Hdf5File::open_attribute(const std::string& object,
                                                            const std::string& name) const {
  const auto damaged = [&] {
    refuse(object, fmt::format("has an unreadable attribute '{}'", name));
  };
  for (const Message& message : open(object)) {
    if (message.type != attribute_message || message.shared) continue;
    Cursor from(message.data, damaged);
    const std::uint64_t version = from.number(1);
    const bool shares = version > 1 && from.number(1) != 0;
    if (version == 1) from.skip(1);
    const std::uint64_t name_size = from.number(2);
    const std::uint64_t type_size = from.number(2);
    const std::uint64_t space_size = from.number(2);
    if (version == 3) from.skip(1);  // character set
    if (version < 1 || version > 3) continue;
    // The oldest version pads each part to 8 bytes.
    const auto part = [&](std::uint64_t size) {
      const auto bytes = from.take(size);
      if (version == 1) from.skip((8 - size % 8) % 8);
      return Cursor(bytes, damaged);
    };
    if (part(name_size).text() != name) continue;
    if (shares) damaged();
    Attribute attribute{read_type(part(type_size)), 1, {}};
    for (const std::uint64_t side : read_dataspace(part(space_size), damaged)) {
      attribute.count =
          side > max_attribute_values ? max_attribute_values + 1 : attribute.count * side;
      if (attribute.count > max_attribute_values) break;
    }
    if (attribute.count > max_attribute_values || attribute.type.size > max_attribute_bytes ||
        attribute.count * attribute.type.size > max_attribute_bytes) {
      refuse(object, fmt::format("has an attribute '{}' of more than {} values or {} bytes", name,
                                 max_attribute_values, max_attribute_bytes));
    }
    const auto values = from.take(attribute.count * attribute.type.size);
    attribute.values.assign(values.begin(), values.end());
    return attribute;
  }
  return std::nullopt;
}

bool Hdf5File::has_attribute(const std::string& object, const std::string& name) const {
  return open_attribute(object, name).has_value();
}

std::optional<std::vector<double>> Hdf5File::numbers(const std::string& object,
                                                     const std::string& name) const {
  const std::optional<Attribute> attribute = open_attribute(object, name);
  if (!attribute) return std::nullopt;
  if (!attribute->type.standard) {
    refuse(object, fmt::format("has an attribute '{}' that does not hold numbers", name));
  }
  std::vector<double> values;
  for (std::size_t i = 0; i < attribute->count; ++i) {
    const std::size_t width = attribute->type.size;
    values.push_back(to_number({attribute->values.data() + i * width, width}, attribute->type));
  }
  return values;
}

std::optional<std::vector<std::string>> Hdf5File::strings(const std::string& object,
                                                          const std::string& name) const {
  const std::optional<Attribute> attribute = open_attribute(object, name);
  if (!attribute) return std::nullopt;
  // Texts of variable length are of another class: they lie elsewhere in the file.
  if (attribute->type.kind != string_class) {
    refuse(object,
           fmt::format("has an attribute '{}' that does not hold text of fixed length", name));
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < attribute->count; ++i) {
    const std::size_t width = attribute->type.size;
    const std::string_view padded(attribute->values.data() + i * width, width);
    values.emplace_back(padded.substr(0, padded.find('\0')));
  }
  return values;
}

}  // namespace impasto
