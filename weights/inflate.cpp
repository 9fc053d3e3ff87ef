// SPDX-License-Identifier: MIT
#include "weights/inflate.hpp"

#include <algorithm>
#include <vector>
#include <zlib.h>

#include "host/core/error.hpp"

namespace impasto {

namespace {
constexpr std::size_t input_bytes = std::size_t{64} << 10U;
}  // namespace

struct Inflater::State {
  SourceFile from;
  std::uint64_t max_bytes;
  std::uint64_t taken = 0;    // of `from`
  std::uint64_t written = 0;  // of what it unfolds to
  bool ended = false;
  std::vector<char> input = std::vector<char>(input_bytes);
  z_stream stream{};
};

void Inflater::Free::operator()(State* state) const {
  inflateEnd(&state->stream);
  delete state;
}

Inflater::Inflater(SourceFile compressed, Form form, std::uint64_t max_bytes)
    : state_(new State{std::move(compressed), max_bytes}) {
  const int window = form == Form::zlib ? MAX_WBITS : -MAX_WBITS;
  require(inflateInit2(&state_->stream, window) == Z_OK, "zlib cannot start");
}

std::size_t Inflater::read_some(std::span<char> to) {
  State& state = *state_;
  z_stream& stream = state.stream;
  to = to.first(std::min(to.size(), input_bytes));
  std::size_t written = 0;
  while (written == 0 && !state.ended && !to.empty()) {
    if (stream.avail_in == 0 && state.taken < state.from.bytes()) {
      const std::uint64_t count =
          std::min<std::uint64_t>(state.from.bytes() - state.taken, state.input.size());
      state.from.read(state.taken, std::span(state.input).first(count));
      state.taken += count;
      stream.next_in = reinterpret_cast<Bytef*>(state.input.data());
      stream.avail_in = static_cast<uInt>(count);
    }
    stream.next_out = reinterpret_cast<Bytef*>(to.data());
    stream.avail_out = static_cast<uInt>(to.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    written = to.size() - stream.avail_out;
    state.written += written;
    if (state.written > state.max_bytes) {
      state.from.refuse(
          fmt::format("compressed data unfold to more than {} bytes", state.max_bytes));
    }
    state.ended = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR) state.from.refuse("compressed data end too early");
    if (status != Z_OK && status != Z_STREAM_END) {
      state.from.refuse(fmt::format("compressed data are damaged: {}",
                                    stream.msg == nullptr ? zError(status) : stream.msg));
    }
  }
  return written;
}

}  // namespace impasto
