// SPDX-License-Identifier: MIT
#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/video/tracking.hpp>

#include "host/core/error.hpp"
#include "host/film/estimate_flow.hpp"
#include "host/film/flow.hpp"

namespace impasto::film {
namespace {

cv::Mat grey(const Image& picture) {
  cv::Mat result(static_cast<int>(picture.height), static_cast<int>(picture.width), CV_8UC1);
  for (std::int64_t i = 0; i < picture.pixels(); ++i) {
    const double value = luminance(&picture.rgb[static_cast<std::size_t>(3 * i)]);
    result.data[i] = static_cast<unsigned char>(std::clamp(value + 0.5, 0.0, 255.0));
  }
  return result;
}

/// OpenCV cuts a picture into as many strips as there are threads, and what one finds depends on them.
class OneThread {
 public:
  OneThread() { cv::setNumThreads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { cv::setNumThreads(threads_); }

 private:
  int threads_ = cv::getNumThreads();
};

}  // namespace

bool can_estimate_flow() { return true; }

Flow estimate_flow(const Image& from, const Image& to) {
  require(from.height == to.height && from.width == to.width, "pictures of two sizes");
  const OneThread scope;
  // It begins with patches of 8 pixels.
  constexpr std::int64_t least_side = 16;
  Flow flow{from.height, from.width,
            std::vector<float>(static_cast<std::size_t>(2 * from.pixels()), 0)};
  if (std::min(from.height, from.width) < least_side) return flow;
  try {
    const auto search = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM);
    // A finer scale, smaller and denser patches than the preset has: a third as many pixels go astray where
    // motions meet (docs/decisions/0035-where-motions-meet.md).
    search->setFinestScale(0);
    search->setPatchSize(4);
    search->setPatchStride(1);
    cv::Mat found;
    search->calc(grey(from), grey(to), found);
    for (std::int64_t row = 0; row < from.height; ++row) {
      std::copy_n(found.ptr<float>(static_cast<int>(row)), 2 * from.width,
                  &flow.uv[static_cast<std::size_t>(2 * row * from.width)]);
    }
  } catch (const cv::Exception& error) {
    fail(ErrorKind::backend, "OpenCV cannot find the optical flow: {}", error.what());
  }
  return sharpened(flow, from, to);
}

}  // namespace impasto::film
