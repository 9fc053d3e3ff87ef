// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "weights/source_file.hpp"
#include "weights/stored_tensor.hpp"

namespace impasto {

/// The tensors of a .safetensors file: the length of a JSON text in 8 bytes, the text, which says
/// where each tensor lies, and the values. They must fill the rest of the file without gaps, as the
/// format asks. Throws ErrorKind::weights.
std::vector<StoredTensor> list_safetensors(const SourceFile& file);

}  // namespace impasto
