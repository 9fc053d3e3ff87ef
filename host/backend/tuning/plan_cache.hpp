// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace impasto {

/// The key by which an implementation is requested from its library: an engine with its knobs, an
/// algorithm with its fields. The same key gives the same bits.
struct AlgoId {
  std::string implementation;                      ///< "cuDNN", "own kernel"
  std::map<std::string, std::int64_t> parameters;  ///< {"engine": 5, "knob 3": 1}

  friend bool operator==(const AlgoId&, const AlgoId&) = default;
};

/// "cuDNN convolution, engine 5, knob 3 1": for messages.
std::string to_string(const AlgoId& id);

/// What a choice is about.
struct ProblemName {
  std::string text;   ///< "bf16 forward 1×64×64, 512 to 512, ReLU"
  std::string alike;  ///< shared by problems that differ in height and width alone; may be empty
  std::int64_t pixels = 0;  ///< height · width
};

/// What one candidate took.
struct Timing {
  AlgoId id;
  double microseconds = 0;

  friend bool operator==(const Timing&, const Timing&) = default;
};

/// The fastest implementation found for a problem on one machine, with the times of all
/// candidates.
struct CachedAlgo {
  AlgoId id;
  std::int64_t workspace_bytes = 0;
  std::vector<Timing> timings = {};    ///< in the order they were tried
  std::vector<AlgoId> differing = {};  ///< candidates that computed something else than most did
  bool complete = true;                ///< whether there was time for every candidate
  std::string taken_from = {};  ///< the problem of another size that this is from; empty: timed
  std::string alike = {};       ///< as in ProblemName
  std::int64_t pixels = 0;

  friend bool operator==(const CachedAlgo&, const CachedAlgo&) = default;
};

/// What a choice depends on besides its problem: the device and the libraries' versions, by name.
using Machine = std::map<std::string, std::string>;

/// The algorithms chosen on one machine, by the problem's description, in a JSON file that runs
/// share.
///
/// The file is not trusted. One that is no regular file, is a link, is too long or too deep, is not
/// ours or is another machine's counts as empty, an entry that makes no sense as absent, and the next store() replaces
/// it. An entry is not trusted either: the library that it names is asked whether it has such an
/// algorithm. Nothing in the file is ever executed, which is why it holds no compiled plans
/// (docs/decisions/0013-plans-are-cached-as-recipes.md).
class PlanCache {
 public:
  /// Reads what there is; no failure to read is an error. Without a folder ("") it lasts as long as
  /// the object.
  PlanCache(const std::string& folder, Machine machine);

  /// The file; empty without a folder.
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::optional<CachedAlgo> find(const std::string& problem) const;
  /// The algorithm timed for the problem of the nearest size that is otherwise alike, and its
  /// problem. None where the sizes differ by more than a factor of two: an engine may suit a small
  /// map and not a large one.
  [[nodiscard]] std::optional<std::pair<std::string, CachedAlgo>> find_near(
      const ProblemName& problem) const;
  /// Keeps an algorithm and writes the file, atomically, together with what other processes have
  /// put there in the meantime. Throws ErrorKind::output when that fails; find() knows the
  /// algorithm all the same.
  void store(const std::string& problem, const CachedAlgo& algo);
  /// Forgets what was read, so that everything is timed again.
  void forget() { algos_.clear(); }

 private:
  using Algos = std::map<std::string, CachedAlgo>;
  [[nodiscard]] Algos read() const;
  [[nodiscard]] std::string to_text(const Algos& algos) const;

  Machine machine_;
  std::string path_;
  Algos algos_;
  Algos stored_;  ///< by this object
};

/// $IMPASTO_CACHE_DIR, else impasto/ in $XDG_CACHE_HOME, else in ~/.cache; "" when there is no
/// home.
std::string cache_folder();

}  // namespace impasto
