// SPDX-License-Identifier: MIT
#include "host/backend/device/problems.hpp"

#include <fmt/format.h>

namespace impasto {
namespace {

std::string describe(const GradientEpilogue& epilogue) {
  return std::string(epilogue.accumulate ? ", add" : "") + (epilogue.relu_mask ? ", mask" : "");
}

/// A problem by its description, and by what it is with any other height and width.
template <class Problem>
ProblemName name_of(const Problem& problem) {
  Problem alike = problem;
  alike.size.height = 0;
  alike.size.width = 0;
  return {problem.describe(), alike.describe(), problem.size.height * problem.size.width};
}

}  // namespace

ProblemName ConvProblem::name() const { return name_of(*this); }
ProblemName StyleBackwardProblem::name() const { return name_of(*this); }

std::string ConvProblem::describe() const {
  std::string text = fmt::format("{} ", to_string(precision));
  switch (kind) {
    case Kind::first_forward: text += "first convolution"; break;
    case Kind::forward: text += "forward"; break;
    case Kind::data_gradient: text += "data gradient"; break;
  }
  text += fmt::format(" {}×{}×{}, {} to {}", size.batch, size.height, size.width, size.in_channels,
                      size.out_channels);
  return text + (relu ? ", ReLU" : "") + impasto::describe(epilogue);
}

std::string StyleBackwardProblem::describe() const {
  return fmt::format("{} style backward {}×{}×{}×{}{}{}", to_string(precision), size.batch,
                     size.height, size.width, size.channels,
                     matrix == DataType::bf16 ? " by bf16" : "", impasto::describe(epilogue));
}

}  // namespace impasto
