// SPDX-License-Identifier: MIT
#include "host/engine/checkpoint_file.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "host/core/atomic_file.hpp"
#include "host/core/digest.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

using Json = nlohmann::ordered_json;

// A line that says what the file is, a line of JSON, and the bytes of the state.
constexpr std::string_view first_line = "impasto checkpoint 3\n";
/// Of both lines, in bytes.
constexpr std::size_t longest_head = std::size_t{1} << 20U;

std::string digest_of(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

Json to_json(const Course::Point& point) {
  return {{"iteration", point.iteration}, {"terms", terms_of(point.losses)}};
}

Course::Point point_of(const Json& json, const Objective& objective) {
  const auto terms = json.at("terms").get<std::vector<float>>();
  if (terms.size() != count_terms(objective)) {
    fail(ErrorKind::input, "expected {} losses, found {}", count_terms(objective), terms.size());
  }
  const Course::Point point{json.at("iteration").get<std::int64_t>(),
                            name_losses(objective, terms)};
  if (point.iteration < 0 || !point.losses.finite()) {
    fail(ErrorKind::input, "its losses are not finite");
  }
  return point;
}

Json to_json(std::span<const EarlyEnd> early) {
  Json json = Json::array();
  for (const EarlyEnd& end : early) {
    json.push_back({{"size", end.size},
                    {"iteration", end.iteration},
                    {"reason", static_cast<int>(end.reason)}});
  }
  return json;
}

std::vector<EarlyEnd> early_ends_of(const Json& json) {
  std::vector<EarlyEnd> early;
  for (const Json& end : json) {
    const auto reason = end.at("reason").get<std::int64_t>();
    if (reason < 0 || reason > static_cast<std::int64_t>(EndReason::loss)) {
      fail(ErrorKind::input, "its description is damaged");
    }
    early.push_back({end.at("size").get<std::int64_t>(), end.at("iteration").get<std::int64_t>(),
                     static_cast<EndReason>(reason)});
  }
  return early;
}

/// Takes a checkpoint's file apart, block by block.
class Reader {
 public:
  Reader(const Objective& objective, std::string_view identity)
      : objective_(objective), identity_(identity) {}

  void add(std::span<const std::byte> bytes) {
    if (!complete_head_) {
      head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      look_at_head();
    } else {
      add_state(bytes);
    }
  }

  Checkpoint finish() {
    if (!complete_head_) fail(ErrorKind::input, "it is no checkpoint, or ends early");
    if (state_.size() != state_bytes_) {
      fail(ErrorKind::input, "expected a state of {} bytes, found {}", state_bytes_, state_.size());
    }
    if (sha256(state_) != state_sha256_) fail(ErrorKind::input, "it is damaged");
    checkpoint_.state.resize(state_bytes_ / sizeof(float));
    if (state_bytes_ > 0) std::memcpy(checkpoint_.state.data(), state_.data(), state_bytes_);
    return std::move(checkpoint_);
  }

 private:
  /// Reads both lines once they are there.
  void look_at_head() {
    const std::size_t seen = std::min(head_.size(), first_line.size());
    if (head_.compare(0, seen, first_line, 0, seen) != 0) {
      fail(ErrorKind::input, "it is no checkpoint");
    }
    const std::size_t end = seen < first_line.size() ? std::string::npos : head_.find('\n', seen);
    if (end == std::string::npos) {
      if (head_.size() > longest_head) fail(ErrorKind::input, "it is no checkpoint");
      return;
    }
    try {
      read_head(Json::parse(std::string_view(head_).substr(seen, end - seen)));
    } catch (const Json::exception&) {
      fail(ErrorKind::input, "its description is damaged");
    }
    complete_head_ = true;
    add_state(std::as_bytes(std::span(head_).subspan(end + 1)));
  }

  void read_head(const Json& head) {
    if (head.at("identity").get<std::string>() != digest_of(identity_)) {
      fail(ErrorKind::input, "it belongs to other pictures, settings, weights or arithmetic");
    }
    checkpoint_.scale = head.at("scale").get<std::int64_t>();
    checkpoint_.iteration = head.at("iteration").get<std::int64_t>();
    checkpoint_.before = head.at("before").get<std::int64_t>();
    if (checkpoint_.before < 0) fail(ErrorKind::input, "its description is damaged");
    checkpoint_.seconds = head.at("seconds").get<double>();
    checkpoint_.recent = head.at("recent").get<std::vector<double>>();
    checkpoint_.early = early_ends_of(head.at("early"));
    checkpoint_.course = {.first = point_of(head.at("first"), objective_),
                          .best = point_of(head.at("best"), objective_),
                          .last = point_of(head.at("last"), objective_)};
    state_bytes_ = head.at("state_bytes").get<std::size_t>();
    if (state_bytes_ % sizeof(float) != 0) fail(ErrorKind::input, "its state is no floats");
    state_sha256_ = head.at("state_sha256").get<std::string>();
  }

  void add_state(std::span<const std::byte> bytes) {
    if (bytes.size() > state_bytes_ - state_.size()) {
      fail(ErrorKind::input, "it is longer than it says");
    }
    state_.insert(state_.end(), bytes.begin(), bytes.end());
  }

  const Objective& objective_;
  std::string_view identity_;
  std::string head_;
  bool complete_head_ = false;
  Checkpoint checkpoint_;
  std::vector<std::byte> state_;
  std::size_t state_bytes_ = 0;
  std::string state_sha256_;
};

}  // namespace

void save_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                     std::string_view identity) {
  const std::span<const std::byte> state = std::as_bytes(std::span(checkpoint.state));
  const Json head = {{"identity", digest_of(identity)},
                     {"scale", checkpoint.scale},
                     {"iteration", checkpoint.iteration},
                     {"before", checkpoint.before},
                     {"seconds", checkpoint.seconds},
                     {"recent", checkpoint.recent},
                     {"early", to_json(std::span(checkpoint.early))},
                     {"first", to_json(checkpoint.course.first)},
                     {"best", to_json(checkpoint.course.best)},
                     {"last", to_json(checkpoint.course.last)},
                     {"state_bytes", state.size()},
                     {"state_sha256", sha256(state)}};
  const std::string lines = std::string(first_line) + head.dump() + "\n";
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(lines)));
  file.write(state);
  file.commit();
}

Checkpoint load_checkpoint(const std::string& path, const Objective& objective,
                           std::string_view identity) {
  Reader reader(objective, identity);
  try {
    for_each_block(path, [&](std::span<const std::byte> bytes) { reader.add(bytes); });
    return reader.finish();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    fail(ErrorKind::input, "cannot go on from '{}': {}", path, error.what());
  }
}

}  // namespace impasto
