// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace simt {

/// Whether a line of this file, as a debugger names it, is a kernel's own. Lines of the machine, the
/// files of a folder simt, and of libraries are inlined into kernels. Where the tree lies says
/// nothing: it may be below /usr/src or below another folder simt.
inline bool is_kernels_own(std::string_view path) {
  const auto take_last = [&] {
    const std::size_t slash = path.rfind('/');
    const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    return last;
  };
  for (const std::string_view headers : {"/usr/include/", "/usr/lib/", "/usr/local/include/"}) {
    if (path.starts_with(headers)) return false;
  }
  if (path.find("/include/c++/") != std::string_view::npos) return false;
  take_last();
  return take_last() != "simt" || take_last() == "tests";
}

}  // namespace simt
