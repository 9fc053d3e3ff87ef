// SPDX-License-Identifier: MIT
#include "host/film/video.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "host/film/video_formats.hpp"
#include "host/image/decode.hpp"

namespace impasto::film {
namespace {

namespace fs = std::filesystem;

/// ffmpeg takes a name with a colon or a dash in front for something else.
std::string as_file(const std::string& path) { return "file:" + fs::absolute(path).string(); }

double number_of(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Of "30000/1001"; 0 where it is none.
double value_of(std::string_view fraction) {
  const std::size_t slash = fraction.find('/');
  if (slash == std::string_view::npos) return number_of(fraction);
  const double below = number_of(fraction.substr(slash + 1));
  return below > 0 ? number_of(fraction.substr(0, slash)) / below : 0;
}

}  // namespace

VideoFacts inspect_video(const std::string& path) {
  Child probe({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
               "stream=avg_frame_rate,r_frame_rate,nb_frames:format=duration", "-of",
               "default=noprint_wrappers=1", as_file(path)});
  const std::string text = probe.read_text(std::size_t{16} << 10U);
  const auto refuse = [&](const std::string& reason) {
    fail(ErrorKind::input, "'{}' is no video that ffmpeg reads: {}", path, reason);
  };
  if (!probe.finish()) refuse(probe.complaint());
  std::map<std::string, std::string, std::less<>> said;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (const std::size_t equals = line.find('='); equals != std::string::npos) {
      said.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    begin = end + 1;
  }
  VideoFacts facts;
  for (const char* key : {"avg_frame_rate", "r_frame_rate"}) {
    if (const double rate = value_of(said[key]); rate > 0 && std::isfinite(rate)) {
      facts.rate = said[key];
      break;
    }
  }
  if (facts.rate.empty()) refuse("it has no picture, or no frame rate");
  double frames = number_of(said["nb_frames"]);
  if (!(frames > 0)) frames = number_of(said["duration"]) * value_of(facts.rate);
  if (frames > 0 && frames < 1e9) facts.frames = std::llround(frames);
  return facts;
}

// Frames come as PPM, which says their size: a video may be turned, and change it.

VideoReader::VideoReader(const std::string& path, const VideoFacts& facts)
    : path_(path),
      decoder_({"ffmpeg", "-nostdin", "-v", "error", "-i", as_file(path), "-map", "0:v:0", "-r",
                facts.rate, "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"}) {}

void VideoReader::refuse(const std::string& reason) const {
  fail(ErrorKind::input, "cannot read the video '{}': {}", path_, reason);
}

/// A number of a PPM's head, and the white space after it.
std::int64_t VideoReader::number() {
  std::int64_t value = 0;
  constexpr int most_digits = 6;
  for (int i = 0; i <= most_digits; ++i) {
    std::byte letter{};
    if (decoder_.read(std::span(&letter, 1)) != 1) break;
    const auto character = static_cast<char>(letter);
    if (std::isspace(static_cast<unsigned char>(character)) != 0) return value;
    if (character < '0' || character > '9') break;
    value = 10 * value + (character - '0');
  }
  refuse("ffmpeg gave a frame that is no PPM");
}

std::optional<Image> VideoReader::next() {
  std::array<std::byte, 3> magic{};
  const std::size_t count = decoder_.read(magic);
  if (count == 0) {
    if (!decoder_.finish()) refuse(decoder_.complaint());
    return std::nullopt;
  }
  if (count != 3 || static_cast<char>(magic[0]) != 'P' || static_cast<char>(magic[1]) != '6') {
    refuse("ffmpeg gave a frame that is no PPM");
  }
  Image image;
  image.width = number();
  image.height = number();
  const ImageLimits limits;
  if (number() != 255 || image.width < 1 || image.height < 1 || image.width > limits.max_side ||
      image.height > limits.max_side || image.pixels() > limits.max_pixels) {
    refuse(fmt::format("a frame of {}x{} is too large", image.width, image.height));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(3 * image.pixels()));
  if (decoder_.read(bytes) != bytes.size()) {
    static_cast<void>(decoder_.finish());
    refuse("it ends within a frame: " + decoder_.complaint());
  }
  image.rgb.resize(bytes.size());
  std::ranges::transform(bytes, image.rgb.begin(),
                         [](std::byte b) { return static_cast<float>(std::to_integer<int>(b)); });
  return image;
}

namespace {

/// The frames of a folder as ffmpeg counts them; a % of the folder's own is none of the number.
std::string pattern_in(const std::string& folder) {
  std::string pattern;
  for (const char letter : as_file(folder))
    pattern += letter == '%' ? "%%" : std::string(1, letter);
  return pattern + "/%06d.png";
}

}  // namespace

std::string frame_name(std::int64_t number) { return fmt::format("{:06}.png", number); }

bool is_frame_name(std::string_view name) {
  std::int64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number > 0 && name == frame_name(number);
}

void write_video(const std::string& path, const std::string& folder, const std::string& rate,
                 const std::optional<std::string>& sound) {
  AtomicFile file(path);
  const VideoFormat* format = format_of(path);
  require(format != nullptr, "'{}' has no extension of a video", path);
  std::vector<std::string> command = {
      "ffmpeg", "-nostdin", "-y", "-v", "error", "-framerate", rate, "-i", pattern_in(folder)};
  if (sound)
    command.insert(command.end(),
                   {"-i", as_file(*sound), "-map", "0:v", "-map", "1:a?", "-c:a", "copy"});
  if (format->container == "webm") {
    command.insert(command.end(), {"-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0"});
  } else {
    command.insert(command.end(), {"-c:v", "libx264", "-crf", "16"});
  }
  command.insert(command.end(),
                 {"-pix_fmt", "yuv420p", "-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-f",
                  std::string(format->container), as_file(file.temporary_path())});
  Child encoder(std::move(command));
  if (!encoder.finish()) {
    fail(ErrorKind::output, "{}: ffmpeg cannot make the video: {}", path, encoder.complaint());
  }
  file.commit();
}

}  // namespace impasto::film
