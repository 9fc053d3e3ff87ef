// SPDX-License-Identifier: MIT
#include "simt/stream.hpp"

#include <utility>

namespace simt {

void Stream::enqueue(Work work) { (capturing_ ? captured_ : queue_).push_back(std::move(work)); }

void Stream::synchronize() {
  const std::vector<Work> queue = std::exchange(queue_, {});
  for (const Work& work : queue) work();
}

std::vector<Stream::Work> Stream::end_capture() {
  capturing_ = false;
  return std::exchange(captured_, {});
}

}  // namespace simt
