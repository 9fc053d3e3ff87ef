// SPDX-License-Identifier: MIT
#include "weights/pickle.hpp"

#include <fmt/format.h>
#include <stdexcept>
#include <unordered_map>
#include <utility>

// The format: CPython, Lib/pickletools.py. A pickle is a program for a machine with a stack and a
// memo. Values are pushed; a mark says where the items of a tuple, list or dict begin; the memo
// keeps what is used again.

namespace impasto {
namespace {

using Value = Pickle::Value;
using Kind = Value::Kind;
using Place = Pickle::Place;

constexpr std::size_t max_values = 500'000;
constexpr std::size_t max_text = std::size_t{64} << 10U;

enum Opcode : unsigned char {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  duplicate = '2',
  real_binary = 'G',
  integer4 = 'J',
  integer1 = 'K',
  integer2 = 'M',
  none = 'N',
  persistent_id = 'Q',
  reduce = 'R',
  bytes4_text = 'T',
  bytes1_text = 'U',
  unicode4 = 'X',
  append = 'a',
  build = 'b',
  global_name = 'c',
  dict_of_mark = 'd',
  empty_dict = '}',
  append_all = 'e',
  get1 = 'h',
  get4 = 'j',
  list_of_mark = 'l',
  empty_list = ']',
  put1 = 'q',
  put4 = 'r',
  set_item = 's',
  tuple_of_mark = 't',
  empty_tuple = ')',
  set_items = 'u',
  protocol = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  true_value = 0x88,
  false_value = 0x89,
  long1 = 0x8A,
  long4 = 0x8B,
  bytes4 = 'B',
  bytes1 = 'C',
  unicode1 = 0x8C,
  unicode8 = 0x8D,
  bytes8 = 0x8E,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

class Machine {
 public:
  Machine(std::string_view bytes, const PickleRules& rules) : bytes_(bytes), rules_(rules) {}

  Pickle run() {
    while (step(take(1).front())) {
    }
    result_.root = pop_one();
    result_.bytes = at_;
    return std::move(result_);
  }

 private:
  /// False at the end.
  bool step(char code) {
    switch (static_cast<unsigned char>(code)) {
      case protocol: check_protocol(number(1)); break;
      case frame: number(8); break;
      case stop: return false;
      case mark: marks_.push_back(stack_.size()); break;
      case pop: pop_top(); break;
      case pop_mark: pop_to_mark(); break;
      case duplicate: push_place(top()); break;

      case none: push({}); break;
      case true_value: push({.kind = Kind::integer, .integer = 1}); break;
      case false_value: push({.kind = Kind::integer, .integer = 0}); break;
      case integer1: push_integer(static_cast<std::int64_t>(number(1))); break;
      case integer2: push_integer(static_cast<std::int64_t>(number(2))); break;
      case integer4: push_integer(static_cast<std::int32_t>(number(4))); break;
      case long1: push_long(number(1)); break;
      case long4: push_long(number(4)); break;
      case real_binary:
        take(8);
        push({});
        break;
      case bytes1_text:
      case bytes1:
      case unicode1: push_text(number(1)); break;
      case bytes4_text:
      case bytes4:
      case unicode4: push_text(number(4)); break;
      case bytes8:
      case unicode8: push_text(number(8)); break;

      case empty_tuple: push({.kind = Kind::tuple}); break;
      case tuple1: push_tuple(1); break;
      case tuple2: push_tuple(2); break;
      case tuple3: push_tuple(3); break;
      case tuple_of_mark: push({.kind = Kind::tuple, .items = pop_to_mark()}); break;
      case empty_list: push({.kind = Kind::list}); break;
      case list_of_mark: push({.kind = Kind::list, .items = pop_to_mark()}); break;
      case append: append_to_list({pop_one()}); break;
      case append_all: append_to_list(pop_to_mark()); break;
      case empty_dict: push({.kind = Kind::dict}); break;
      case dict_of_mark: push({.kind = Kind::dict, .items = pairs(pop_to_mark())}); break;
      case set_item: {
        const Place value = pop_one();
        set_in_dict({pop_one(), value});
        break;
      }
      case set_items: set_in_dict(pop_to_mark()); break;

      case global_name: {
        const std::string module(line());
        push_global(fmt::format("{}.{}", module, line()));
        break;
      }
      case stack_global: {
        const Place name = pop_one();
        const Place module = pop_one();
        push_global(fmt::format("{}.{}", result_.text(module), result_.text(name)));
        break;
      }
      case reduce: call(); break;
      case build: pop_one(); break;
      case persistent_id: push({.kind = Kind::persistent, .items = {pop_one()}}); break;

      case put1: memo_[number(1)] = top(); break;
      case put4: memo_[number(4)] = top(); break;
      case memoize: memo_.emplace(memo_.size(), top()); break;
      case get1: push_memo(number(1)); break;
      case get4: push_memo(number(4)); break;

      default:
        refuse(fmt::format("has the opcode {:#04x}, which data do not need",
                           static_cast<unsigned char>(code)));
    }
    return true;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    rules_.refuse(fmt::format("the pickle {} (at byte {})", what, at_));
    throw std::logic_error("a refusal must throw");
  }

  // The program.

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse("is cut short");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  /// A little-endian number.
  std::uint64_t number(std::size_t width) {
    const std::string_view raw = take(width);
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(raw[i]);
    }
    return value;
  }

  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos || end - at_ > max_text) refuse("has a name without an end");
    const std::string_view text = take(end - at_);
    take(1);
    return text;
  }

  void check_protocol(std::uint64_t version) const {
    if (version < 2 || version > 5) {
      refuse(fmt::format("has protocol {}; expected 2 to 5", version));
    }
  }

  // The stack.

  void push_place(Place place) { stack_.push_back(place); }

  void push(Value value) {
    if (result_.values.size() == max_values) {
      refuse(fmt::format("has more than {} values", max_values));
    }
    push_place(static_cast<Place>(result_.values.size()));
    result_.values.push_back(std::move(value));
  }

  void push_integer(std::int64_t integer) { push({.kind = Kind::integer, .integer = integer}); }

  void push_text(std::uint64_t bytes) {
    if (bytes > max_text) refuse(fmt::format("has a text of {} bytes", bytes));
    push({.kind = Kind::text, .text = std::string(take(bytes))});
  }

  /// A signed number of any length.
  void push_long(std::uint64_t width) {
    if (width > max_text) refuse(fmt::format("has a number of {} bytes", width));
    const std::string_view raw = take(width);
    if (width > sizeof(std::int64_t)) {
      push({.text = std::string(raw)});
      return;
    }
    std::uint64_t value = !raw.empty() && static_cast<signed char>(raw.back()) < 0 ? ~0ULL : 0;
    for (std::size_t i = width; i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(raw[i]);
    }
    push_integer(static_cast<std::int64_t>(value));
  }

  void push_tuple(std::size_t count) {
    if (count > above_mark()) refuse("takes more than there is");
    std::vector<Place> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    push({.kind = Kind::tuple, .items = std::move(items)});
  }

  void push_global(const std::string& name) {
    if (!rules_.allows(name)) refuse(fmt::format("asks for {}, which is not called here", name));
    push({.kind = Kind::global, .text = name});
  }

  void push_memo(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse(fmt::format("uses entry {} of its memo, which it lacks", key));
    push_place(found->second);
  }

  [[nodiscard]] std::size_t above_mark() const {
    return stack_.size() - (marks_.empty() ? 0 : marks_.back());
  }

  [[nodiscard]] Place top() const {
    if (above_mark() == 0) refuse("takes more than there is");
    return stack_.back();
  }

  Place pop_one() {
    const Place place = top();
    stack_.pop_back();
    return place;
  }

  std::vector<Place> pop_to_mark() {
    if (marks_.empty()) refuse("lacks a mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Place> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  /// A mark is popped as a value is.
  void pop_top() {
    if (above_mark() == 0 && !marks_.empty()) {
      marks_.pop_back();
    } else {
      pop_one();
    }
  }

  // Containers and calls.

  std::vector<Place> pairs(std::vector<Place> items) const {
    if (items.size() % 2 != 0) refuse("has a key without a value");
    return items;
  }

  void extend(Kind kind, const std::vector<Place>& items) {
    Value& container = result_.values[top()];
    if (container.kind != kind) refuse("adds items to what holds none");
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  void append_to_list(const std::vector<Place>& items) { extend(Kind::list, items); }
  void set_in_dict(std::vector<Place> items) { extend(Kind::dict, pairs(std::move(items))); }

  void call() {
    const Place arguments = pop_one();
    const Place function = pop_one();
    if (result_[function].kind != Kind::global || result_[arguments].kind != Kind::tuple) {
      refuse("calls what is no function, or with what are no arguments");
    }
    if (result_[function].text == "collections.OrderedDict") {
      push({.kind = Kind::dict, .items = items_of_dict(result_[arguments].items)});
    } else {
      push({.kind = Kind::call, .items = {function, arguments}});
    }
  }

  /// From the arguments of OrderedDict: none, or (Python 2) a list of pairs.
  [[nodiscard]] std::vector<Place> items_of_dict(const std::vector<Place>& arguments) const {
    std::vector<Place> items;
    if (arguments.empty()) return items;
    for (const Place pair : result_[arguments.front()].items) {
      const std::vector<Place>& both = result_[pair].items;
      if (both.size() != 2) refuse("makes a dict of what are no pairs");
      items.insert(items.end(), both.begin(), both.end());
    }
    return items;
  }

  std::string_view bytes_;
  const PickleRules& rules_;
  std::size_t at_ = 0;
  Pickle result_;
  std::vector<Place> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Place> memo_;
};

}  // namespace

std::string_view Pickle::text(Place place) const {
  const Value& value = values[place];
  return value.kind == Value::Kind::text ? std::string_view(value.text) : std::string_view();
}

Pickle read_pickle(std::string_view bytes, const PickleRules& rules) {
  return Machine(bytes, rules).run();
}

}  // namespace impasto
