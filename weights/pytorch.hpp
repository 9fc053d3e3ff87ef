// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "weights/source_file.hpp"
#include "weights/stored_tensor.hpp"
#include "weights/zip_file.hpp"

namespace impasto {

// PyTorch's files hold a pickle, which is a program, and the storages of its tensors. Our reader of
// pickles runs nothing; of the names in one it admits those that make up a state dict, and refuses
// the file for any other (docs/decisions/0019-own-reader-of-pytorch-files.md).
//
// Tensors in dicts within dicts are named by the path of their keys: "state_dict.features.0.weight".
// Each refusal throws ErrorKind::weights.

/// Whether an archive is one that torch.save() wrote since PyTorch 1.6.
bool is_pytorch(const ZipFile& archive);

/// The tensors of such an archive.
std::vector<StoredTensor> list_pytorch(const ZipFile& archive);

/// The tensors of a file that torch.save() wrote before: pickles, then the storages.
std::vector<StoredTensor> list_old_pytorch(const SourceFile& file);

}  // namespace impasto
