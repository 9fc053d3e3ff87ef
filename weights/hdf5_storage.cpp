// SPDX-License-Identifier: MIT
#include "weights/hdf5_storage.hpp"

#include <array>
#include <fmt/format.h>
#include <vector>

namespace impasto {
namespace {

// Deflate shrinks by at most 1032, so one chunk can unfold to little over 1 GiB, whatever it
// claims.
constexpr std::uint64_t max_chunk_bytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t max_chunks = 4096;

using Objection = std::optional<std::string>;

Objection filter_objection(const Hdf5Properties& properties) {
  const int count = H5Pget_nfilters(properties.get());
  int deflates = 0;
  for (int i = 0; i < count; ++i) {
    unsigned int flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(properties.get(), static_cast<unsigned int>(i), &flags, &values, nullptr,
                       name.size(), name.data(), nullptr);
    if (filter == H5Z_FILTER_DEFLATE) ++deflates;
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      return fmt::format(
          "is stored with filter number {}; expected deflate, shuffle, fletcher32 or none", filter);
    }
  }
  if (deflates > 1) return "is compressed more than once; expected deflate once or not at all";
  return std::nullopt;
}

Objection chunk_objection(const Hdf5Dataset& dataset, const Hdf5Properties& properties,
                          std::uint64_t file_bytes) {
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  std::array<hsize_t, H5S_MAX_RANK> extent{};
  const Hdf5Space space(H5Dget_space(dataset.get()));
  const int rank = H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
  if (rank < 0 || H5Pget_chunk(properties.get(), H5S_MAX_RANK, sides.data()) != rank) {
    return "has chunks of another rank than its own";
  }
  // Divisions keep the products from overflowing: the sides are whatever the file says.
  std::uint64_t chunk_bytes = sizeof(float);
  std::uint64_t chunks = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
    const hsize_t side = sides.at(i);
    if (side == 0 || side > max_chunk_bytes / chunk_bytes) {
      return fmt::format("has chunks of more than {} bytes", max_chunk_bytes);
    }
    chunk_bytes *= side;
    const hsize_t across = (extent.at(i) + side - 1) / side;
    if (across > max_chunks / chunks) return fmt::format("has more than {} chunks", max_chunks);
    chunks *= across;
  }

  hsize_t stored = 0;
  if (H5Dget_num_chunks(dataset.get(), H5S_ALL, &stored) < 0 || stored != chunks) {
    return fmt::format("is incomplete: expected {} chunks, found {}", chunks, stored);
  }
  for (hsize_t i = 0; i < stored; ++i) {
    std::array<hsize_t, H5S_MAX_RANK> offset{};
    unsigned int skipped_filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    if (H5Dget_chunk_info(dataset.get(), H5S_ALL, i, offset.data(), &skipped_filters, &address,
                          &size) < 0) {
      return fmt::format("has a chunk that cannot be found: {}", hdf5_reason());
    }
    // What does not compress grows by a few bytes in ten thousand, and a checksum adds four.
    const std::uint64_t bound = chunk_bytes + chunk_bytes / 64 + 64;
    if (size > bound || address == HADDR_UNDEF || size > file_bytes ||
        address > file_bytes - size) {
      return fmt::format("has a chunk of {} bytes; expected at most {}, within the file", size,
                         bound);
    }
  }
  return std::nullopt;
}

Objection contiguous_objection(const Hdf5Dataset& dataset, const Hdf5Properties& properties,
                               std::uint64_t file_bytes) {
  if (H5Pget_external_count(properties.get()) != 0) {
    return "has external storage; expected its values in this file";
  }
  const Hdf5Space space(H5Dget_space(dataset.get()));
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  const std::uint64_t declared = static_cast<std::uint64_t>(count) * sizeof(float);
  const std::uint64_t stored = H5Dget_storage_size(dataset.get());
  const haddr_t address = H5Dget_offset(dataset.get());
  if (count < 0 || stored != declared || address == HADDR_UNDEF) {
    return fmt::format("is incomplete: expected {} bytes stored, found {}", declared, stored);
  }
  if (declared > file_bytes || address > file_bytes - declared) {
    return fmt::format("reaches past the end of the file: {} bytes at {} of {}", declared, address,
                       file_bytes);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> storage_objection(const Hdf5Dataset& dataset, std::uint64_t file_bytes) {
  const Hdf5Properties properties(H5Dget_create_plist(dataset.get()));
  if (!properties) return fmt::format("has unreadable properties: {}", hdf5_reason());
  if (Objection objection = filter_objection(properties)) return objection;
  switch (H5Pget_layout(properties.get())) {
    case H5D_CONTIGUOUS: return contiguous_objection(dataset, properties, file_bytes);
    case H5D_CHUNKED: return chunk_objection(dataset, properties, file_bytes);
    case H5D_VIRTUAL: return "is a virtual dataset; expected its values in this file";
    default: return "is stored compactly; expected contiguous or chunked storage";
  }
}

}  // namespace impasto
