// SPDX-License-Identifier: MIT
#include "host/backend/device/problems.hpp"

#include <fmt/format.h>

namespace impasto {
namespace {

std::string describe(const GradientEpilogue& epilogue) {
  return std::string(epilogue.accumulate ? ", add" : "") + (epilogue.relu_mask ? ", mask" : "");
}

}  // namespace

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
  return fmt::format("{} style backward {}×{}×{}×{}{}", to_string(precision), size.batch,
                     size.height, size.width, size.channels, impasto::describe(epilogue));
}

}  // namespace impasto
