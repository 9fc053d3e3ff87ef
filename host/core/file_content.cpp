// SPDX-License-Identifier: MIT
#include "host/core/file_content.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

namespace impasto {
namespace {

using namespace std::string_view_literals;

/// A kind of file. The first row that fits decides.
struct Kind {
  std::string_view name;
  std::string_view advice;  ///< or nothing
  bool (*fits)(std::string_view head, std::string_view pattern);
  std::string_view pattern;
};

constexpr auto as_png = "save it as PNG first: vips copy FILE photo.png"sv;
constexpr auto to_convert = "'impasto weights convert' reads those of VGG"sv;

bool begins(std::string_view head, std::string_view pattern) { return head.starts_with(pattern); }

/// Whether the box that such files begin with names one of these brands.
bool has_brand(std::string_view head, std::string_view brands) {
  if (head.size() < 12 || head.substr(4, 4) != "ftyp"sv) return false;
  return brands.find(head.substr(8, 4)) != std::string_view::npos;
}

/// The name of the first file in a zip archive.
std::string_view first_in_zip(std::string_view head) {
  constexpr std::size_t name_at = 30;
  if (!head.starts_with("PK\x03\x04"sv) || head.size() < name_at) return {};
  const auto length = static_cast<unsigned char>(head[26]);
  return head.substr(name_at, length);
}

bool is_zip_of(std::string_view head, std::string_view part) {
  return first_in_zip(head).find(part) != std::string_view::npos;
}

/// Whether the text begins so, after spaces and in any case.
bool begins_text(std::string_view head, std::string_view word) {
  while (!head.empty() && std::isspace(static_cast<unsigned char>(head[0])) != 0) {
    head.remove_prefix(1);
  }
  if (head.starts_with("\xEF\xBB\xBF"sv)) head.remove_prefix(3);
  return head.size() >= word.size() &&
         std::ranges::equal(head.substr(0, word.size()), word, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

bool is_netpbm(std::string_view head, std::string_view /*pattern*/) {
  return head.size() > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' &&
         std::isspace(static_cast<unsigned char>(head[2])) != 0;
}

bool is_pickle(std::string_view head, std::string_view /*pattern*/) {
  return head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}

/// A length in 8 bytes, then JSON.
bool is_safetensors(std::string_view head, std::string_view /*pattern*/) {
  return head.size() > 10 && head.substr(5, 3) == "\0\0\0"sv && head.substr(8, 2) == "{\""sv;
}

bool is_text(std::string_view head, std::string_view /*pattern*/) {
  return std::ranges::none_of(
      head, [](unsigned char c) { return c == 0x7FU || (c < 0x20U && std::isspace(c) == 0); });
}

constexpr std::array kinds = {
    // What a download leaves in place of the file.
    Kind{"a web page", "the download gave a page in place of the file", begins_text,
         "<!doctype html"sv},
    Kind{"a web page", "the download gave a page in place of the file", begins_text, "<html"sv},
    Kind{"a Git LFS pointer", "'git lfs pull' fetches the file that it stands for", begins_text,
         "version https://git-lfs"sv},
    Kind{"compressed by gzip", "unpack it first: gunzip", begins, "\x1F\x8B"sv},
    Kind{"compressed by bzip2", "unpack it first: bunzip2", begins, "BZh"sv},
    Kind{"compressed by xz", "unpack it first: unxz", begins,
         "\xFD"
         "7zXZ"sv},
    Kind{"compressed by zstd", "unpack it first: unzstd", begins, "\x28\xB5\x2F\xFD"sv},
    // Pictures.
    Kind{"a JPEG picture", "", begins, "\xFF\xD8\xFF"sv},
    Kind{"a PNG picture in Apple's own form (CgBI)", "save it as JPEG first", begins,
         "\x89PNG\r\n\x1A\n\0\0\0\4CgBI"sv},
    Kind{"a PNG picture", "", begins, "\x89PNG\r\n\x1A\n"sv},
    Kind{"a PNG picture that was damaged when it was copied as text", "copy it again, as binary",
         begins, "\x89PNG"sv},
    Kind{"a GIF picture", as_png, begins, "GIF8"sv},
    Kind{"a BMP picture", as_png, begins, "BM"sv},
    Kind{"a HEIC picture", as_png, has_brand, "heic heix hevc mif1 msf1"sv},
    Kind{"an AVIF picture", as_png, has_brand, "avif avis"sv},
    Kind{"a film", "save a frame of it as PNG first", has_brand, "isom mp41 mp42 qt   M4V "sv},
    Kind{"a PPM, PGM or PBM picture", as_png, is_netpbm, {}},
    Kind{"a JPEG XL picture", as_png, begins, "\xFF\x0A"sv},
    Kind{"a JPEG XL picture", as_png, begins, "\0\0\0\x0CJXL "sv},
    Kind{"a JPEG 2000 picture", as_png, begins, "\0\0\0\x0CjP  "sv},
    Kind{"a Photoshop file", as_png, begins, "8BPS"sv},
    Kind{"an OpenEXR picture", as_png, begins, "\x76\x2F\x31\x01"sv},
    Kind{"a PDF document", as_png, begins, "%PDF"sv},
    Kind{"an SVG drawing", as_png, begins_text, "<svg"sv},
    Kind{"an XML text, perhaps an SVG drawing", as_png, begins_text, "<?xml"sv},
    // Weights.
    Kind{"an HDF5 file", "", begins, "\x89HDF\r\n"sv},
    Kind{"a MATLAB file", to_convert, begins, "MATLAB "sv},
    Kind{"a PyTorch file", to_convert, is_zip_of, "/data.pkl"sv},
    Kind{"a PyTorch file", to_convert, is_zip_of, "/version"sv},
    Kind{"a Keras 3 file", to_convert, is_zip_of, "metadata.json"sv},
    Kind{"a Keras 3 file", to_convert, is_zip_of, "config.json"sv},
    Kind{"a NumPy archive (.npz)", "", is_zip_of, ".npy"sv},
    Kind{"a zip archive", "PyTorch's and Keras 3's files are such", begins, "PK\x03\x04"sv},
    Kind{"a PyTorch file of the old kind, or another pickle", to_convert, is_pickle, {}},
    Kind{"a safetensors file", to_convert, is_safetensors, {}},
    Kind{"a NumPy array (.npy)", "", begins, "\x93NUMPY"sv},
    Kind{"a text", "", is_text, {}},
};

}  // namespace

std::string describe_content(std::string_view head) {
  if (head.empty()) return "nothing: the file is empty";
  const auto* const found =
      std::ranges::find_if(kinds, [&](const Kind& kind) { return kind.fits(head, kind.pattern); });
  if (found == kinds.end()) return "something of an unknown kind";
  return found->advice.empty() ? std::string(found->name)
                               : fmt::format("{}; {}", found->name, found->advice);
}

}  // namespace impasto
