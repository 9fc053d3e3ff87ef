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
#include "host/backend/tuning/knob_search.hpp"
#include "kernels/common/device.hpp"

namespace impasto::cuda {

/// Loads cuDNN for the functions of cudnn_frontend::detail, after what it looks for by name alone:
/// cuBLASLt and NVRTC. Later calls do nothing. Throws ErrorKind::backend when there is no cuDNN, or
/// none that is new enough, or no cuBLASLt.
void load_cudnn();

/// A handle for work on the stream, which belongs to the current device. Throws as load_cudnn()
/// does.
std::shared_ptr<cudnnContext> open_cudnn(kernels::cuda::Stream stream);

/// "9.19.0"
std::string cudnn_version();
/// Where it was loaded from.
std::string cudnn_file();

/// One of cuDNN's engines with its knobs, ready for one graph.
struct CudnnPlan {
  /// {"engine": 5, "knob 3": 1}: what CudnnGraph::build takes.
  std::map<std::string, std::int64_t> parameters;
  std::int64_t workspace_bytes = 0;
  std::shared_ptr<cudnn_frontend::ExecutionPlan> plan;

  /// Enqueues the plan on the handle's stream; `tensors` are given by their uids. Throws
  /// ErrorKind::backend. The plan must outlive a graph that captured it.
  void run(cudnnHandle_t handle, const std::unordered_map<std::int64_t, void*>& tensors,
           void* workspace) const;
};

/// A graph of operations that cuDNN runs as one, and its engines for it. Call load_cudnn() first, and
/// prepare() before all else. Throws ErrorKind::backend with cuDNN's own message.
class CudnnGraph : public cudnn_frontend::graph::Graph {
 public:
  /// For the handle's GPU, or for a GPU that need not be there, described by cuDNN's JSON.
  void prepare(cudnnHandle_t handle);
  void prepare(const std::vector<std::uint8_t>& device);

  /// Asks cuDNN which of its engines can run the graph, best first by its own heuristics.
  void find_engines();
  /// The engines found, as indices for build(): first those that cuDNN brings compiled, then those
  /// that it compiles when they are built, each in its order. Left out are engines that compute in
  /// less precision than asked for, differ from run to run, or round more than a direct product
  /// does.
  [[nodiscard]] const std::vector<std::int64_t>& engines() const { return engines_; }
  /// How many of them cuDNN brings compiled.
  [[nodiscard]] std::int64_t precompiled_engine_count() const;

  /// Makes an engine ready: in a fraction of a millisecond, or in seconds where it is compiled
  /// first. Null where it does not work.
  std::unique_ptr<CudnnPlan> build(std::int64_t index);
  /// The same for the engine that `parameters` name; null also where there is no such engine, or
  /// where it is one of those left out.
  std::unique_ptr<CudnnPlan> build(const std::map<std::string, std::int64_t>& parameters);
  /// The knobs of the engine that `parameters` name, and their values, or values at doubling
  /// distances where there are many; empty where there is no such engine.
  [[nodiscard]] std::vector<Knob> knobs(const std::map<std::string, std::int64_t>& parameters);

 protected:
  /// A graph without operations. Inputs and output have the storage type of the precision; sums
  /// and intermediate values are float. `description` is for errors.
  CudnnGraph(Precision precision, std::string description);

 private:
  void require_success(cudnn_frontend::error_t status, const char* step) const;
  [[nodiscard]] bool is_allowed(std::int64_t index) const;
  [[nodiscard]] bool is_precompiled(std::int64_t index) const;

  Precision precision_;
  std::string description_;
  std::vector<std::int64_t> engines_;
};

}  // namespace impasto::cuda
