// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace impasto::cuda {

/// One of NVIDIA's libraries, looked for when it is first needed: a program that was linked against
/// them would not start on a machine without. It stays until the program ends.
class SharedLibrary {
 public:
  /// Looks where the system looks, LD_LIBRARY_PATH included, then where the CUDA toolkit puts its
  /// own. Throws ErrorKind::backend, naming the file and why it cannot be loaded.
  explicit SharedLibrary(std::string file);

  [[nodiscard]] void* handle() const { return handle_; }
  /// Throws ErrorKind::backend for a name that is not in it.
  [[nodiscard]] void* symbol(const char* name) const;
  /// As the function that a header declares.
  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  std::string file_;
  void* handle_;
};

}  // namespace impasto::cuda
