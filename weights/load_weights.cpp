// SPDX-License-Identifier: MIT
#include "weights/load_weights.hpp"

#include "host/core/error.hpp"
#include "weights/weights_reader.hpp"

namespace impasto {

Weights load_weights(const std::string& path, std::string_view deepest_layer) {
  const std::vector<const VggLayer*> needed = convs_up_to(deepest_layer);
  const WeightsReader reader(path);
  if (reader.layers().size() < needed.size()) {
    fail(ErrorKind::weights, "weights '{}' end at {}; expected them to reach {}", path,
         reader.layers().back()->name, needed.back()->name);
  }
  Weights weights;
  weights.mean = reader.header().mean;
  weights.description = reader.header().description;
  weights.source_sha256 = reader.header().origin.source_sha256;
  for (const VggLayer* layer : needed) {
    weights.convs.push_back({std::string(layer->name), reader.read(*layer)});
  }
  return weights;
}

}  // namespace impasto
