// SPDX-License-Identifier: MIT
#include "weights/hdf5_handle.hpp"

#include <string_view>

namespace impasto {

Hdf5Session::Hdf5Session() {
  // After a write that failed, HDF5 1.10 would complain about itself on standard error when the
  // program ends. Nothing of ours is left open then. Without effect if the library is in use
  // already.
  H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &report_, &report_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLget_loading_state(&plugins_);
  H5PLset_loading_state(0);
}

Hdf5Session::~Hdf5Session() {
  H5PLset_loading_state(plugins_);
  H5Eset_auto2(H5E_DEFAULT, report_, report_data_);
}

std::string hdf5_reason() {
  std::string reason;
  const auto keep_first = [](unsigned int, const H5E_error2_t* error, void* data) -> herr_t {
    auto& text = *static_cast<std::string*>(data);
    if (text.empty() && error->desc != nullptr) text = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  if (reason.empty()) return "HDF5 gives no reason";
  // Of a failed system call HDF5 tells addresses and times as well; the message is what matters.
  constexpr std::string_view mark = "error message = '";
  const std::size_t begin = reason.find(mark);
  if (begin == std::string::npos) return reason;
  const std::size_t end = reason.find('\'', begin + mark.size());
  return reason.substr(begin + mark.size(), end - begin - mark.size());
}

}  // namespace impasto
