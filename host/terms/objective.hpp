// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "host/model/network.hpp"
#include "host/terms/content.hpp"
#include "host/terms/gram.hpp"
#include "host/terms/statistics.hpp"
#include "host/terms/temporal.hpp"
#include "host/terms/total_variation.hpp"
#include "host/terms/wasserstein.hpp"
#include "kernels/pool/pool.hpp"

namespace impasto {

/// Every kind of loss: a new one is a file beside these and a row here.
using AnyLoss = std::variant<ContentLoss, GramLoss, WassersteinLoss, StatisticsLoss,
                             TotalVariationLoss, TemporalLoss>;

/// What several styles without masks are to a picture. For Gram matrices the second has the gradient of the
/// first, and a loss that is larger by a constant; the third is the second divided by the number of styles.
enum class SeveralStyles : std::uint8_t {
  mean_of_targets,  ///< one target, in which each has its share
  sum_of_losses,    ///< a loss for each, times its share
  mean_of_losses,
};

/// What is minimised: the sum of its losses, and how the network pools, pads and scales its input,
/// because that changes what they see.
struct Objective {
  std::vector<AnyLoss> losses;
  PoolKind pool;
  Padding padding = Padding::zero;
  double input_scale = 1;  ///< the network sees pixels of 0 to 255 times this
  /// Each layer's gradient of each loss is brought to the L1 norm 1, times its weights.
  bool normalize_gradients = false;
  bool guided = false;  ///< each style counts where its mask says so
  SeveralStyles several_styles = SeveralStyles::mean_of_targets;
  /// Losses of style are means over the picture at so many sizes, each half the one before, each
  /// compared with the style pictures halved alike.
  std::int64_t octaves = 1;

  /// The loss of that name. Throws ErrorKind::internal where there is none.
  [[nodiscard]] Loss& operator[](std::string_view name);
  [[nodiscard]] const Loss& operator[](std::string_view name) const;
  /// The normaliser of that name; none where no loss has it.
  [[nodiscard]] std::optional<Normaliser> normaliser(std::string_view name) const;
};

/// What every kind of loss has.
const Loss& common(const AnyLoss& loss);
bool of_pixels(const AnyLoss& loss);
/// Whether it compares with style pictures.
bool of_style(const AnyLoss& loss);

/// Throws ErrorKind::usage for a repeated layer or one that the network does not have, a weight
/// that is negative or not finite, or an objective with nothing to minimise.
void check(const Objective& objective, const VggLayers& layers);

/// Whether one network serves both: it pools, pads and scales its input alike.
bool see_alike(const Objective& one, const Objective& other);

/// The deepest layer that a loss looks at: how far a network has to be loaded.
std::size_t deepest_layer(const Objective& objective, const VggLayers& layers);

/// The types that terms compute in, and the factor of their gradients.
struct TermNumbers {
  DataType activations = DataType::f32;
  DataType master = DataType::f32;
  double gradient_scale = 1;
  double style_share = 1;  ///< how much losses of style count of their weight
  std::size_t styles = 1;
  /// TermPlace::rows at a layer; none: all of them.
  std::function<Rows(std::size_t layer)> rows = {};
  FiledTensors* files = nullptr;  ///< as TermPlace has it
};

/// The objective's terms for pictures of the shape `pixels` (N,H,W,3): loss by loss, in each layer
/// by layer.
std::vector<std::unique_ptr<Term>> make_terms(const Objective& objective, const Network& network,
                                              const Shape& pixels, const TermNumbers& numbers);

/// The losses of one picture by name.
struct Losses {
  struct Part {
    std::string name;
    double value = 0;     ///< Σ_l w_l · (the term at layer l), or the pixels' term
    double weighted = 0;  ///< the loss's weight times that
    bool of_pixels = false;
    std::vector<std::pair<std::string, double>> layers = {};  ///< the terms before their weights
  };
  double total = 0;  ///< the sum of the weighted parts that count in it
  std::vector<Part> parts;

  /// The part of that name. Throws ErrorKind::internal where there is none.
  [[nodiscard]] const Part& operator[](std::string_view name) const;
  [[nodiscard]] bool finite() const;
};

/// Names the terms' values, which are in the order of make_terms(), count_terms() of them.
Losses name_losses(const Objective& objective, std::span<const float> terms);
/// How much each of these terms counts in the total.
std::vector<double> weights_in_total(const Objective& objective);
std::size_t count_terms(const Objective& objective);
/// The values that name_losses() was given.
std::vector<float> terms_of(const Losses& losses);

/// True if every picture's losses are finite.
bool all_finite(std::span<const Losses> pictures);

}  // namespace impasto
