// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cudnn_frontend.h>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/backend/precision.hpp"

namespace impasto::cuda {

/// One of cuDNN's engines with its knobs, made ready for one graph.
struct CudnnPlan {
  /// {"engine": 5, "knob 3": 1}: what CudnnGraph::build takes.
  std::map<std::string, std::int64_t> parameters;
  std::int64_t workspace_bytes = 0;
  std::shared_ptr<cudnn_frontend::ExecutionPlan> plan;

  /// Enqueues it on the handle's stream; `tensors` by their uids. Throws ErrorKind::backend.
  void run(cudnnHandle_t handle, const std::unordered_map<std::int64_t, void*>& tensors,
           void* workspace) const;
};

/// A graph of operations that cuDNN does as one, and its engines for it. Throws ErrorKind::backend
/// with cuDNN's own words. load_cudnn() comes first.
class CudnnGraph : public cudnn_frontend::graph::Graph {
 public:
  /// Asks cuDNN which of its engines can do it, best first by its own heuristics, on the handle's
  /// GPU; or on one that need not be there, whose description is cuDNN's JSON.
  void find_engines(cudnnHandle_t handle);
  void find_engines(const std::vector<std::uint8_t>& device);
  /// How many there are, those included that are filtered out: the ones that compute in less
  /// precision than asked for, differ from run to run, or round more than a direct product does.
  [[nodiscard]] std::int64_t engine_count() const;
  /// How many are left of them.
  [[nodiscard]] std::int64_t allowed_engine_count();

  /// Makes the index-th of them ready, up to seconds of compilation; null where it is filtered out
  /// or does not work.
  std::unique_ptr<CudnnPlan> build(std::int64_t index);
  /// The engine that `parameters` name, which may be none: then null, as above.
  std::unique_ptr<CudnnPlan> build(cudnnHandle_t handle,
                                   const std::map<std::string, std::int64_t>& parameters);

 protected:
  /// Without operations yet. Inputs and output in the storage of the precision, sums and everything
  /// between in float; `description` is for errors.
  CudnnGraph(Precision precision, std::string description);

 private:
  void require_success(cudnn_frontend::error_t status, const char* step) const;
  void filter_engines();

  Precision precision_;
  std::string description_;
};

}  // namespace impasto::cuda
