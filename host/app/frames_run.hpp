// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/frame_source.hpp"
#include "host/app/frames_record.hpp"
#include "host/app/inputs.hpp"
#include "host/app/log.hpp"
#include "host/app/progress.hpp"
#include "host/app/settings.hpp"
#include "host/engine/stylization.hpp"
#include "host/film/flow.hpp"

namespace impasto::app {

/// How a frame that goes on from others is stylized, after a scene's first frame with `scales` scales
/// ended with the loss `loss`: with fewer iterations, at the finest of these scales, and with the temporal
/// loss.
Config config_of_later_frames(const Settings& settings, std::size_t scales, double loss);

/// Throws ErrorKind::input where a video cannot have frames of this size.
void check_video_fits(const Settings& settings, const Image& frame);

/// How far a film has come.
struct FilmCounts {
  std::int64_t total = 0;  ///< of a video about so many, or 0
  std::int64_t done = 0;
  bool video = false;  ///< whether a video is to be made of them
};
/// The frames of the film that has begun with this OUT, as the film is now. Nothing where none has, or
/// where its video is complete.
std::optional<FilmCounts> count_frames(const std::string& out);

/// A film as the user sees it: frame after frame, with progress, log and records, then the video and the
/// summary.
class FramesRun {
 public:
  /// The arguments must outlive the object.
  FramesRun(const Settings& settings, Backend& backend);

  /// Throws Interrupted after a signal, and ErrorKind::diverged after a NaN; what was made before stays.
  void run();

 private:
  /// An earlier frame that the next ones may go on from.
  struct Past {
    Image content;
    Image result;
  };

  [[nodiscard]] Json configuration() const;
  [[nodiscard]] std::string path_of(std::int64_t frame) const;
  [[nodiscard]] std::int64_t furthest() const;
  void refuse_existing() const;
  void require_flows() const;
  std::int64_t first_missing();
  void require_same_film(std::int64_t missing) const;
  std::int64_t recall(std::int64_t missing);
  void make_frames(std::int64_t begin);
  void require_shape(const Image& content);
  [[nodiscard]] std::string flow_file(std::int64_t from, std::int64_t to) const;
  [[nodiscard]] film::Flow flow(std::int64_t from, const Image& from_content, std::int64_t to,
                                const Image& to_content) const;
  [[nodiscard]] std::optional<Anchor> anchor(std::int64_t frame, const Image& content) const;
  [[nodiscard]] Image start_of_new_parts(const Image& content) const;
  bool make(std::int64_t frame, Image content);
  Stylized begin_scene(std::int64_t frame, const Image& content);
  Stylized go_on(std::int64_t frame, const Image& content, const Anchor& anchor);
  [[nodiscard]] Stylization::Report report_of(std::int64_t frame);
  void save(std::int64_t frame, Image content, Stylized stylized, double held);
  void remove_frames() const;
  void finish(bool stopped);

  const Settings& settings_;
  Backend& backend_;
  std::unique_ptr<FrameSource> source_;
  std::string folder_;  ///< of the frames
  std::vector<std::int64_t> distances_;
  FramesRecord record_;
  std::unique_ptr<Session> session_;
  std::optional<Stylization> later_;  ///< of the frames behind the scene's first
  std::map<std::int64_t, Past> past_;
  std::vector<Style> styles_;  ///< of the scene
  std::int64_t scene_ = 0;     ///< the frame that it begins with
  double scene_loss_ = 0;      ///< of that frame's result
  std::optional<Shape> shape_;
  Log log_;
  ProgressLine progress_;
  std::int64_t frames_ = 0;  ///< done, in this run and before
  std::int64_t made_ = 0;    ///< of these, in this run
  double seconds_ = 0;
};

}  // namespace impasto::app
