// SPDX-License-Identifier: MIT
#include "weights/mat.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "host/core/error.hpp"
#include "weights/inflate.hpp"

// The format: MathWorks, "MAT-File Format", version 5. A file is a header of 128 bytes and
// elements; an element is a tag (type, size) and data, padded to 8 bytes; one of up to 4 bytes has
// both in 8.

namespace impasto {
namespace {

// Where bytes come from: the file, or what a compressed element of it unfolds to.

constexpr std::size_t block_bytes = std::size_t{64} << 10U;

/// Bytes that come one after the other. Throws ErrorKind::weights, naming the file, when they end
/// before what was asked for.
class ByteSource {
 public:
  explicit ByteSource(SourceFile file) : file_(std::move(file)) {}
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Fills `to`.
  virtual void read(std::span<char> to) = 0;
  virtual void skip(std::uint64_t count) = 0;
  /// How many bytes were read or skipped.
  [[nodiscard]] std::uint64_t position() const { return position_; }

  [[noreturn]] void refuse(const std::string& reason) const { file_.refuse(reason); }

 protected:
  [[nodiscard]] const SourceFile& file() const { return file_; }
  void advance(std::uint64_t count) { position_ += count; }

 private:
  SourceFile file_;
  std::uint64_t position_ = 0;
};

/// A file; skipping costs nothing.
class FileSource : public ByteSource {
 public:
  explicit FileSource(const SourceFile& file) : ByteSource(file) {}

  void read(std::span<char> to) override;
  void skip(std::uint64_t count) override;
  [[nodiscard]] std::uint64_t remaining() const { return file().bytes() - position(); }
  /// The next bytes of the file, which are passed over.
  SourceFile take(std::uint64_t count);
};

/// What compressed bytes (zlib) unfold to, `most` at most.
class InflateSource : public ByteSource {
 public:
  InflateSource(const SourceFile& compressed, std::uint64_t most)
      : ByteSource(compressed), inflater_(compressed, Inflater::Form::zlib, most) {}

  void read(std::span<char> to) override;
  void skip(std::uint64_t count) override;
  /// Goes to the end, where zlib's checksum tells whether everything was right.
  void finish();

 private:
  Inflater inflater_;
};

void FileSource::read(std::span<char> to) {
  file().read(position(), to);
  advance(to.size());
}

void FileSource::skip(std::uint64_t count) { take(count); }

SourceFile FileSource::take(std::uint64_t count) {
  SourceFile part = file().part(position(), count);
  advance(count);
  return part;
}

void InflateSource::read(std::span<char> to) {
  while (!to.empty()) {
    const std::size_t count = inflater_.read_some(to);
    if (count == 0) refuse("compressed data hold less than they say");
    to = to.subspan(count);
    advance(count);
  }
}

void InflateSource::skip(std::uint64_t count) {
  std::vector<char> unwanted(std::min<std::uint64_t>(count, block_bytes));
  while (count > 0) {
    const std::size_t piece = std::min<std::uint64_t>(count, unwanted.size());
    read(std::span(unwanted).first(piece));
    count -= piece;
  }
}

void InflateSource::finish() {
  std::vector<char> unwanted(block_bytes);
  while (const std::size_t count = inflater_.read_some(unwanted)) advance(count);
}

// What the bytes mean.

constexpr int max_depth = 16;
constexpr std::uint64_t max_values = std::uint64_t{4}
                                     << 20U;  // the largest we need has 2.4 million
constexpr std::uint64_t max_text = 256;
constexpr std::uint64_t max_elements = 20'000;  // the published file has about 2,500
constexpr std::uint64_t max_name = 64;

enum Type : std::uint32_t {
  int8 = 1,
  uint8 = 2,
  int16 = 3,
  uint16 = 4,
  int32 = 5,
  uint32 = 6,
  single = 7,
  float64 = 9,
  int64 = 12,
  uint64 = 13,
  matrix = 14,
  compressed = 15,
  utf8 = 16,
  utf16 = 17,
};

enum Class : std::uint32_t {
  cell_class = 1,
  struct_class = 2,
  char_class = 4,
  double_class = 6,
  uint64_class = 15
};

constexpr std::uint32_t complex_flag = 0x0800;

struct Tag {
  std::uint32_t type;
  std::uint32_t size;
  std::uint32_t padding;       // after the data
  std::array<char, 4> inside;  // the data of a small element
  bool small;
};

template <class T>
T number_at(std::span<const char> bytes, std::size_t index) {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
std::vector<float> to_floats(std::span<const char> bytes) {
  std::vector<float> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(number_at<T>(bytes, i));
  }
  return values;
}

std::size_t size_of_type(std::uint32_t type) {
  switch (type) {
    case int8:
    case uint8:
    case utf8: return 1;
    case int16:
    case uint16:
    case utf16: return 2;
    case int32:
    case uint32:
    case single: return 4;
    case float64:
    case int64:
    case uint64: return 8;
    default: return 0;
  }
}

std::vector<float> convert(std::uint32_t type, std::span<const char> bytes) {
  switch (type) {
    case int8: return to_floats<std::int8_t>(bytes);
    case uint8: return to_floats<std::uint8_t>(bytes);
    case int16: return to_floats<std::int16_t>(bytes);
    case uint16: return to_floats<std::uint16_t>(bytes);
    case int32: return to_floats<std::int32_t>(bytes);
    case uint32: return to_floats<std::uint32_t>(bytes);
    case int64: return to_floats<std::int64_t>(bytes);
    case uint64: return to_floats<std::uint64_t>(bytes);
    case float64: return to_floats<double>(bytes);
    default: return to_floats<float>(bytes);
  }
}

/// What an array says of itself before its data.
struct Header {
  std::uint32_t kind = 0;
  bool complex = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t count = 1;  // of values
  std::string name;
  std::uint64_t end = 0;  // of the array, as a position in the source
};

/// Reads arrays from a source. Each function leaves the source behind what it read.
class Parser {
 public:
  explicit Parser(ByteSource& source) : source_(source) {}

  Tag read_tag() {
    std::array<char, 8> raw{};
    source_.read(raw);
    Tag tag{number_at<std::uint32_t>(raw, 0), number_at<std::uint32_t>(raw, 1), 0, {}, false};
    if (tag.type >> 16U != 0) {
      tag.small = true;
      tag.size = tag.type >> 16U;
      tag.type &= 0xFFFFU;
      std::copy(raw.begin() + 4, raw.end(), tag.inside.begin());
      if (tag.size > tag.inside.size()) refuse(fmt::format("holds {} bytes in 4", tag.size));
    } else {
      tag.padding = (8 - tag.size % 8) % 8;
    }
    return tag;
  }

  /// The data behind a tag, within the array that ends at `end`.
  std::vector<char> read_data(const Tag& tag, std::uint64_t end) {
    if (tag.small) return {tag.inside.begin(), tag.inside.begin() + tag.size};
    check_room(tag.size, end);
    std::vector<char> bytes(tag.size);
    source_.read(bytes);
    source_.skip(std::min<std::uint64_t>(tag.padding, end - source_.position()));
    return bytes;
  }

  Header read_header(std::uint64_t size, std::uint64_t around) {
    check_room(size, around);
    if (++elements_ > max_elements) refuse(fmt::format("has more than {} elements", max_elements));
    Header header;
    header.end = source_.position() + size;
    const std::vector<char> flags = read_part(uint32, 8, header.end, "flags");
    if (flags.size() != 8) refuse("has an array without flags");
    header.kind = number_at<std::uint32_t>(flags, 0) & 0xFFU;
    header.complex = (number_at<std::uint32_t>(flags, 0) & complex_flag) != 0;
    const std::vector<char> sides =
        read_part(int32, 32 * sizeof(std::int32_t), header.end, "shape");
    for (std::size_t i = 0; i < sides.size() / sizeof(std::int32_t); ++i) {
      const auto side = number_at<std::int32_t>(sides, i);
      // 2^31 sides of up to 2^31: the count stays far below 2^63.
      if (side < 0 ||
          (side > 0 && header.count > (std::uint64_t{1} << 31U) / std::uint64_t(side))) {
        refuse(fmt::format("has an array with an absurd shape, a side of {}", side));
      }
      header.shape.push_back(static_cast<std::uint64_t>(side));
      header.count *= static_cast<std::uint64_t>(side);
    }
    const std::vector<char> name = read_part(int8, max_name, header.end, "name");
    header.name.assign(name.begin(), name.end());
    return header;
  }

  /// A value that is handed over on its own, so that the memory of the one before is free again.
  MatValue read_whole(const Header& header) {
    kept_ = 0;
    return read_value(header, 0);
  }

  /// Calls `use` at the data of each cell; it may leave them unread.
  void for_each_cell(const Header& header, const std::function<void(const Header&)>& use) {
    for (std::uint64_t i = 0; i < header.count; ++i) {
      const Header cell = read_nested_header(header.end);
      use(cell);
      skip_to(cell.end);
    }
  }

  void skip_to(std::uint64_t end) { source_.skip(end - source_.position()); }

  [[noreturn]] void refuse(const std::string& what) const {
    source_.refuse(
        fmt::format("{} {}", variable_.empty() ? "the file" : "'" + variable_ + "'", what));
  }

  void set_variable(const std::string& name) { variable_ = name; }

 private:
  MatValue read_value(const Header& header, int depth) {
    if (depth > max_depth) refuse(fmt::format("is nested more than {} deep", max_depth));
    MatValue value;
    value.shape = header.shape;
    if (header.kind == cell_class) {
      value.kind = MatValue::Kind::cell;
      for_each_cell(
          header, [&](const Header& cell) { value.cells.push_back(read_value(cell, depth + 1)); });
    } else if (header.kind == struct_class && header.count == 1) {
      value.kind = MatValue::Kind::record;
      for (const std::string& name : read_field_names(header.end)) {
        value.fields.push_back(name);
        value.cells.push_back(read_nested(header.end, depth + 1));
      }
    } else if (header.kind == char_class) {
      read_text(header, value);
    } else if (header.kind >= double_class && header.kind <= uint64_class && !header.complex) {
      read_numbers(header, value);
    }
    skip_to(header.end);
    return value;
  }

  void check_room(std::uint64_t size, std::uint64_t end) const {
    const std::uint64_t room = end - std::min(end, source_.position());
    if (size > room) {
      refuse(fmt::format("has an element of {} bytes where {} are left", size, room));
    }
  }

  Tag read_tag_within(std::uint64_t end) {
    check_room(8, end);
    return read_tag();
  }

  std::vector<char> read_part(std::uint32_t type, std::uint64_t most, std::uint64_t end,
                              std::string_view what) {
    const Tag tag = read_tag_within(end);
    if (tag.type != type || tag.size > most) {
      refuse(fmt::format("has an array whose {} cannot be: type {}, {} bytes", what, tag.type,
                         tag.size));
    }
    return read_data(tag, end);
  }

  Header read_nested_header(std::uint64_t end) {
    const Tag tag = read_tag_within(end);
    if (tag.type != matrix || tag.small) {
      refuse(fmt::format("has an element of type {} where an array is expected", tag.type));
    }
    if (tag.size > 0) return read_header(tag.size, end);
    if (++elements_ > max_elements) refuse(fmt::format("has more than {} elements", max_elements));
    Header empty;
    empty.count = 0;
    empty.end = source_.position();
    return empty;
  }

  MatValue read_nested(std::uint64_t end, int depth) {
    return read_value(read_nested_header(end), depth);
  }

  std::vector<std::string> read_field_names(std::uint64_t end) {
    const std::vector<char> width_bytes = read_part(int32, 4, end, "field name length");
    const auto width = width_bytes.size() == 4 ? number_at<std::int32_t>(width_bytes, 0) : 0;
    if (width < 1 || width > std::int32_t{max_name}) {
      refuse(fmt::format("has field names of {} letters", width));
    }
    const auto length = static_cast<std::size_t>(width);
    const std::vector<char> letters = read_part(int8, max_elements, end, "field names");
    std::vector<std::string> names;
    for (std::size_t i = 0; i + length <= letters.size(); i += length) {
      const std::string_view padded(letters.data() + i, length);
      names.emplace_back(padded.substr(0, padded.find('\0')));
    }
    return names;
  }

  void read_numbers(const Header& header, MatValue& value) {
    const Tag tag = read_tag_within(header.end);
    const std::size_t width = size_of_type(tag.type);
    if (width == 0 || tag.type == utf8 || tag.type == utf16 || tag.size != header.count * width) {
      refuse(fmt::format("has an array of {} values in {} bytes of type {}", header.count, tag.size,
                         tag.type));
    }
    // What is not read is left out; the end of the array was checked already.
    if (header.count > max_values - kept_) return;
    kept_ += header.count;
    value.kind = MatValue::Kind::numbers;
    value.numbers = convert(tag.type, read_data(tag, header.end));
  }

  void read_text(const Header& header, MatValue& value) {
    const Tag tag = read_tag_within(header.end);
    if (tag.size > max_text) return;
    const std::vector<char> bytes = read_data(tag, header.end);
    value.kind = MatValue::Kind::text;
    // Names are plain ASCII; of wider letters the first byte is enough to tell.
    const std::size_t width = std::max<std::size_t>(size_of_type(tag.type), 1);
    for (std::size_t i = 0; i < bytes.size(); i += width) value.text += bytes[i];
  }

  ByteSource& source_;
  std::string variable_;
  std::uint64_t elements_ = 0;
  std::uint64_t kept_ = 0;  // numbers in memory
};

/// One variable of the file, whose array has `size` bytes.
void visit_variable(ByteSource& source, std::uint64_t size, const MatVisitor& visitor) {
  Parser parser(source);
  const Header header = parser.read_header(size, source.position() + size);
  parser.set_variable(header.name);
  if (visitor.wants(header.name)) {
    if (header.kind == cell_class) {
      parser.for_each_cell(
          header, [&](const Header& cell) { visitor.take(header.name, parser.read_whole(cell)); });
    } else {
      visitor.take(header.name, parser.read_whole(header));
    }
  }
  parser.skip_to(header.end);
}

}  // namespace

const MatValue* MatValue::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name);
  return found == fields.end() ? nullptr : &cells[static_cast<std::size_t>(found - fields.begin())];
}

void read_mat(const SourceFile& source, const MatVisitor& visitor, std::uint64_t max_inflated) {
  FileSource file(source);
  std::array<char, 128> head{};
  file.read(head);
  if (head[126] != 'I' || head[127] != 'M') {
    file.refuse("it was written on a big-endian machine; expected little-endian");
  }
  std::uint64_t may_unfold = max_inflated;
  while (file.remaining() > 0) {
    const Tag tag = Parser(file).read_tag();
    if (tag.small || (tag.type != matrix && tag.type != compressed)) {
      file.refuse(fmt::format("at {} there is an element of type {}; expected a variable",
                              file.position() - 8, tag.type));
    }
    if (tag.size > file.remaining()) {
      file.refuse(fmt::format("the file is cut short: a variable has {} bytes, {} are left",
                              tag.size, file.remaining()));
    }
    if (tag.type == matrix) {
      visit_variable(file, tag.size, visitor);
      continue;
    }
    InflateSource inflated(file.take(tag.size), may_unfold);
    const Tag inner = Parser(inflated).read_tag();
    if (inner.small || inner.type != matrix) {
      file.refuse(fmt::format("a compressed element has type {}; expected a variable", inner.type));
    }
    visit_variable(inflated, inner.size, visitor);
    inflated.finish();
    may_unfold -= inflated.position();
  }
}

}  // namespace impasto
