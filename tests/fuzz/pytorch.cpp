// SPDX-License-Identifier: MIT
// PyTorch's files, both forms.
#include "weights/pytorch.hpp"

#include <array>

#include "tests/fuzz/fuzz.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "weights/file_kind.hpp"
#include "weights/weights_file.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const std::array<torch::Tensor, 2> tensors = {
      {{"a", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"b", {2}, {7, 8}}}};
  const std::string flat = torch::state_dict(tensors);
  const std::string parameter = pickle::call(
      pickle::global("torch._utils", "_rebuild_parameter"),
      std::array<std::string, 3>{torch::tensor(tensors[0], "0", 6), "\x88", pickle::dict({})});
  const std::string nested = pickle::dict(
      std::array{pickle::text("epoch"), pickle::integer(3), pickle::text("state_dict"),
                 pickle::dict(std::array{pickle::text("a"), parameter, pickle::text("b"),
                                         torch::tensor(tensors[1], "1", 2)})});
  std::vector<std::string> files;
  for (const std::string& object : {flat, nested}) {
    files.push_back(torch::saved(object, tensors));
    files.push_back(torch::saved_before(object, tensors));
  }
  return files;
}

void read_input(const std::string& path) {
  const SourceFile file(path, max_weights_bytes);
  std::vector<StoredTensor> tensors;
  if (identify(file).kind == FileKind::pickle) {
    tensors = list_old_pytorch(file);
  } else if (const ZipFile archive(file); is_pytorch(archive)) {
    tensors = list_pytorch(archive);
  }
  for (const StoredTensor& tensor : tensors) read_values(tensor);
}

}  // namespace impasto::fuzz
