// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

/// What a pickle builds, as inert data: names of Python's functions and classes stay names, and a
/// call of one is a record of its arguments. Nothing is imported and nothing is called.
///
/// Values refer to each other by their place in `values`, so that a pickle which contains itself or
/// is nested a million deep costs no more than any other.
struct Pickle {
  using Place = std::uint32_t;
  struct Value {
    enum class Kind : std::uint8_t {
      integer,     ///< also true and false
      text,        ///< of letters or bytes
      tuple,       ///< `items`
      list,        ///< `items`
      dict,        ///< `items`, keys and values in turn
      global,      ///< a name of Python: "collections.OrderedDict"
      call,        ///< `items` are the function and the tuple of its arguments
      persistent,  ///< the one of `items` says what it stands for
      other,       ///< None, a real number, an integer of more than 64 bits (its bytes in `text`)
    };
    Kind kind = Kind::other;
    std::int64_t integer = 0;
    std::string text = {};
    std::vector<Place> items = {};
  };

  std::vector<Value> values;
  Place root = 0;
  std::size_t bytes = 0;  ///< that it takes at the front of what it was read from

  [[nodiscard]] const Value& operator[](Place place) const { return values[place]; }
  /// The text of a value, or "" where it is none.
  [[nodiscard]] std::string_view text(Place place) const;
};

/// What read_pickle() must know of the pickles that are expected.
struct PickleRules {
  /// Whether a name ("torch.FloatStorage") may occur. Any other refuses the pickle.
  std::function<bool(std::string_view name)> allows;
  /// Throws with this reason.
  std::function<void(const std::string& reason)> refuse;
};

/// Reads the pickle at the front of `bytes`: protocols 2 to 5, by the opcodes that data need. An
/// OrderedDict becomes a dict; the state that an object is given afterwards is dropped. Whatever
/// else may be in it, it is refused: other opcodes, other names, more than 500,000 values.
Pickle read_pickle(std::string_view bytes, const PickleRules& rules);

}  // namespace impasto
