// SPDX-License-Identifier: MIT
#include "weights/save_weights.hpp"

#include "weights/weights_writer.hpp"

namespace impasto {

void save_weights(const Weights& weights, const std::string& path, const WeightsOrigin& origin) {
  WeightsWriter writer(path);
  for (const NamedConv& conv : weights.convs) {
    writer.write(vgg19.at(vgg19_index(conv.name)), conv.parameters);
  }
  writer.commit({origin, weights.mean, weights.description});
}

}  // namespace impasto
