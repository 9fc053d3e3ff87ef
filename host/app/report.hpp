// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/app/describe.hpp"
#include "host/engine/run.hpp"

namespace impasto::app {

/// The losses of a run for its report: at most 1000 points, so that a long run does not fill the
/// memory.
class Curves {
 public:
  /// Of the n-th picture that is computed.
  void add(const Progress& progress, std::size_t n = 0);

  struct Point {
    std::int64_t iteration = 0;
    std::int64_t size = 0;  ///< the longer side at which the picture was optimised
    Losses losses;
  };
  /// In the order of iterations; the last reported is among them.
  [[nodiscard]] std::vector<Point> points() const;

 private:
  std::vector<Point> points_;
  Point last_;
  std::int64_t stride_ = 1;  ///< every how many iterations a point is kept
};

/// What --report shows of one run.
struct Report {
  const Settings& settings;
  const Curves& curves;
  const Json& start;  ///< the log's first record
  const Json& end;    ///< its last
  const Image& content;
  std::vector<const Image*> styles;
  const Image& result;
};

/// One HTML page that needs no other file and no network: the pictures, with content and result under
/// a slider; the losses as SVG; how to repeat the run; its settings, time and memory.
std::string page(const Report& report);

/// The command line that makes the same picture, quoted for a shell. What came from the environment or
/// a configuration file is an option in it.
std::string command_to_repeat(const Settings& settings);

}  // namespace impasto::app
