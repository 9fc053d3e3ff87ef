// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace impasto::cuda {

/// One of NVIDIA's libraries, loaded when it is first needed: a program that is linked against them
/// does not start on a machine without them. It stays loaded until the program ends.
class SharedLibrary {
 public:
  /// Looks where the system looks, LD_LIBRARY_PATH included, then where the CUDA toolkit installs
  /// its libraries. Throws ErrorKind::backend, naming the file and why it cannot be loaded.
  explicit SharedLibrary(std::string file);

  [[nodiscard]] void* handle() const { return handle_; }
  /// Throws ErrorKind::backend for a name that the library does not have.
  [[nodiscard]] void* symbol(const char* name) const;
  /// The same, with the type that a header declares.
  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  std::string file_;
  void* handle_;
};

struct ComputeCapability {
  int major = 0;
  int minor = 0;
};

/// Whether kernels built for `architectures`, as CMake lists them ("75-real 90a-real 120"), run on
/// a GPU. Machine code ("-real") runs within its major version, from its minor version on; with a
/// suffix ("90a") only on exactly that version. Code that the driver compiles ("-virtual") runs
/// from its version on. An entry without "-real" or "-virtual" has both.
bool runs_on(std::string_view architectures, const ComputeCapability& gpu);

/// The same list for people: "7.5, 9.0".
std::string spelled(std::string_view architectures);

}  // namespace impasto::cuda
