// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace impasto::cuda {

/// The files that `file` is looked for as, in turn, in the order that NVIDIA documents for
/// cuda-pathfinder: as Python's wheels install it ("nvidia/cudnn/lib" beside this code's own folder,
/// for wheel "cudnn"), in the active conda environment, where the system looks (LD_LIBRARY_PATH, and
/// Python's own conda environment, among it), and in the CUDA toolkit ($CUDA_HOME, else $CUDA_PATH,
/// else /usr/local/cuda).
std::vector<std::string> places_of(const std::string& file, std::string_view wheel);

/// One of NVIDIA's libraries, loaded when it is first needed: a program that is linked against them
/// does not start on a machine without them. It stays loaded until the program ends.
class SharedLibrary {
 public:
  /// Takes the one that the process has already loaded, for two copies of a library do not go
  /// together; else the first of `places_of(file, wheel)` that is there. Throws ErrorKind::backend,
  /// naming the file and why it cannot be loaded.
  SharedLibrary(std::string file, std::string_view wheel);

  [[nodiscard]] void* handle() const { return handle_; }
  /// The file that was loaded, with its folder.
  [[nodiscard]] std::string path() const;
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
