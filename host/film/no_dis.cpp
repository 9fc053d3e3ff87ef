// SPDX-License-Identifier: MIT
#include "host/core/error.hpp"
#include "host/film/estimate_flow.hpp"

namespace impasto::film {

bool can_estimate_flow() { return false; }

Flow estimate_flow(const Image& /*from*/, const Image& /*to*/) {
  fail(ErrorKind::backend,
       "this program was built without OpenCV, which finds the optical flow: install "
       "libopencv-video-dev and build it again, or give flows (--flow FOLDER)");
}

}  // namespace impasto::film
