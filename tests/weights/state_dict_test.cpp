// SPDX-License-Identifier: MIT
// Networks in files of tensors: which one it is, under which names, and for which pixels.
#include <array>
#include <gmock/gmock.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/convert.hpp"

namespace impasto::state_dict_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// (Cout,H,W,Cin) to (Cout,Cin,H,W).
std::vector<float> pytorch_weight(const ConvParameters& conv) {
  const auto in = static_cast<std::size_t>(conv.in_channels);
  const auto out = static_cast<std::size_t>(conv.out_channels);
  std::vector<float> weight(conv.weight.size());
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t ci = 0; ci < in; ++ci) {
      for (std::size_t cell = 0; cell < 9; ++cell) {
        weight[(co * in + ci) * 9 + cell] = conv.weight[(co * 9 + cell) * in + ci];
      }
    }
  }
  return weight;
}

using Names = std::vector<std::string>;

/// A name each for the convolutions, before ".weight" and ".bias".
std::vector<torch::Tensor> tensors_of(const Weights& weights, const Names& names) {
  std::vector<torch::Tensor> tensors;
  for (std::size_t i = 0; i < weights.convs.size(); ++i) {
    const ConvParameters& conv = weights.convs[i].parameters;
    tensors.push_back({names.at(i) + ".weight",
                       {conv.out_channels, conv.in_channels, 3, 3},
                       pytorch_weight(conv)});
    tensors.push_back({names.at(i) + ".bias", {conv.out_channels}, conv.bias});
  }
  return tensors;
}

Names with_prefix(std::string_view prefix, Names names) {
  for (std::string& name : names) name.insert(0, prefix);
  return names;
}

const Names torchvision19 = {"features.0",  "features.2",  "features.5",  "features.7",
                             "features.10", "features.12", "features.14", "features.16",
                             "features.19", "features.21", "features.23", "features.25",
                             "features.28", "features.30", "features.32", "features.34"};
const Names torchvision16 = {"features.0",  "features.2",  "features.5",  "features.7",
                             "features.10", "features.12", "features.14", "features.17",
                             "features.19", "features.21", "features.24", "features.26",
                             "features.28"};
const Names caffe19 = {"conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2",
                       "conv3_3", "conv3_4", "conv4_1", "conv4_2", "conv4_3", "conv4_4",
                       "conv5_1", "conv5_2", "conv5_3", "conv5_4"};
const Names shift_tolerant = {"net.slice1.0",  "net.slice1.2",  "net.slice2.6",  "net.slice2.8",
                              "net.slice3.12", "net.slice3.14", "net.slice3.16", "net.slice4.20",
                              "net.slice4.22", "net.slice4.24", "net.slice5.28", "net.slice5.30",
                              "net.slice5.32"};

const Weights& network19() {
  static const Weights weights = pattern_weights("conv5_4");
  return weights;
}

const Weights& network16() {
  static const Weights weights = vgg16_of(network19());
  return weights;
}

/// The published first values, blue first or red first, and all others as they were.
Weights with_published_values(Weights weights, bool blue_first) {
  std::vector<float>& first = weights.convs[0].parameters.weight;
  const bool is_vgg19 = weights.layers == &vgg19;
  const std::array<float, 3> blue_green_red =
      is_vgg19 ? std::array{0.34119523F, 0.46418372F, 0.39416704F}
               : std::array{0.42947057F, 0.55037946F, 0.48001540F};
  for (std::size_t i = 0; i < 3; ++i) first[blue_first ? i : 2 - i] = blue_green_red.at(i);
  return weights;
}

class StateDict : public ::testing::Test {
 protected:
  Weights convert(const std::string& bytes, Preparation preparation = Preparation::automatic) {
    write_all(in_, bytes);
    report_ = convert_weights(in_, out_, preparation);
    return load_weights(out_);
  }

  /// In safetensors, the smallest of the three forms.
  Weights convert(const Weights& weights, const Names& names,
                  Preparation preparation = Preparation::automatic) {
    return convert(torch::safetensors(tensors_of(weights, names)), preparation);
  }

  static void expect_torchvision_pixels(const Weights& weights) {
    EXPECT_THAT(weights.mean, ElementsAre(FloatEq(123.675F), FloatEq(116.28F), FloatEq(103.53F)));
    EXPECT_THAT(weights.deviation,
                ElementsAre(FloatEq(58.395F), FloatEq(57.12F), FloatEq(57.375F)));
  }

  static void expect_caffe_pixels(const Weights& weights) {
    EXPECT_EQ(weights.mean, vgg_mean);
    EXPECT_THAT(weights.deviation, ElementsAre(1, 1, 1));
  }

  /// The first layer with its channels reversed.
  static Weights reversed(Weights weights) {
    std::vector<float>& first = weights.convs[0].parameters.weight;
    for (std::size_t i = 0; i < first.size(); i += 3) std::swap(first[i], first[i + 2]);
    return weights;
  }

  std::string refusal(const std::string& bytes) {
    write_all(in_, bytes);
    const std::string message = message_of(ErrorKind::weights, [&] { convert_weights(in_, out_); });
    EXPECT_THAT(folder_.list(), ElementsAre("source"));
    return message;
  }

  std::string refusal_of(const std::vector<torch::Tensor>& tensors) {
    return refusal(torch::safetensors(tensors));
  }

  /// Tensors of these names and this shape alone.
  std::string refusal_of_names(const Names& names, std::vector<std::int64_t> shape = {1}) {
    std::vector<torch::Tensor> tensors;
    std::size_t count = 1;
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    for (const std::string& name : names)
      tensors.push_back({name, shape, std::vector<float>(count)});
    return refusal_of(tensors);
  }

  ConversionReport report_;
  TemporaryFolder folder_;
  std::string in_ = folder_.file("source");
  std::string out_ = folder_.file("out.h5");
};

TEST_F(StateDict, OfTorchvisionIsReadInEveryForm) {
  const std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  const std::string object = torch::state_dict(tensors);
  const auto expect_network = [&](const std::string& bytes, const std::string& format) {
    const Weights found = convert(bytes);
    expect_same_layers(found, network16());
    expect_torchvision_pixels(found);
    EXPECT_EQ(found.layers, &vgg16);
    EXPECT_EQ(found.pool.mode, kernels::PoolMode::max);
    EXPECT_EQ(found.description, "VGG-16 from source");
    EXPECT_EQ(report_.source_format, format);
    EXPECT_THAT(report_.notes, ElementsAre(AllOf(HasSubstr("as torchvision does"),
                                                 HasSubstr("--preparation caffe"))));
  };
  expect_network(torch::saved(object, tensors), "PyTorch");
  expect_network(torch::saved_before(object, tensors), "PyTorch (before 1.6)");
  expect_network(torch::safetensors(tensors), "safetensors");
}

TEST_F(StateDict, OfVgg19IsToldFromVgg16) {
  const Weights found = convert(network19(), torchvision19);
  EXPECT_EQ(found.layers, &vgg19);
  expect_same_layers(found, network19());
}

TEST_F(StateDict, IsFoundUnderWhateverPrefix) {
  for (const char* prefix : {"state_dict.module.", "vgg."}) {
    const Weights found = convert(network16(), with_prefix(prefix, torchvision16));
    expect_same_layers(found, network16());
  }
  Names bare = torchvision16;
  for (std::string& name : bare) name = name.substr(9);
  expect_same_layers(convert(network16(), bare), network16());
}

TEST_F(StateDict, OfCaffesValuesIsToldFromTorchvisions) {
  for (const Weights* weights : {&network19(), &network16()}) {
    const Names& names = weights == &network19() ? torchvision19 : torchvision16;
    const Weights blue_first = with_published_values(*weights, true);
    const Weights found = convert(blue_first, names);
    expect_same_layers(found, reversed(blue_first));
    expect_caffe_pixels(found);
    EXPECT_THAT(report_.notes, IsEmpty());
  }
  const Weights red_first = with_published_values(network19(), false);
  const Weights found = convert(red_first, torchvision19);
  expect_same_layers(found, red_first);
  expect_caffe_pixels(found);
}

TEST_F(StateDict, WithCaffesNamesSeesBlueFirst) {
  const Weights found = convert(network19(), caffe19);
  expect_same_layers(found, reversed(network19()));
  expect_caffe_pixels(found);
  EXPECT_THAT(report_.notes, ElementsAre(HasSubstr("as Caffe does")));
}

TEST_F(StateDict, IsPreparedAsTheUserSays) {
  const Weights caffe = convert(network16(), torchvision16, Preparation::caffe);
  expect_same_layers(caffe, reversed(network16()));
  expect_caffe_pixels(caffe);
  EXPECT_THAT(report_.notes, IsEmpty());
  const Weights torchvision =
      convert(with_published_values(network16(), true), torchvision16, Preparation::torchvision);
  expect_same_layers(torchvision, with_published_values(network16(), true));
  expect_torchvision_pixels(torchvision);
  write_all(in_, "\x89HDF\r\n\x1a\n");
  const auto keras = [&] { convert_weights(in_, out_, Preparation::caffe); };
  EXPECT_THAT(message_of(ErrorKind::usage, keras), HasSubstr("prepared in one way only"));
}

TEST_F(StateDict, OfTheShiftTolerantMetricIsVgg16) {
  std::vector<torch::Tensor> tensors = tensors_of(network16(), shift_tolerant);
  tensors.push_back({"net.slice2.5.filt", {64, 1, 3, 3}, std::vector<float>(576)});
  tensors.push_back({"lin0.model.1.weight", {1, 64, 1, 1}, std::vector<float>(64)});
  const Weights found = convert(torch::safetensors(tensors));
  expect_same_layers(found, network16());
  expect_torchvision_pixels(found);
  EXPECT_EQ(found.pool.mode, kernels::PoolMode::max_blur);
  EXPECT_THAT(report_.notes, IsEmpty());
}

TEST_F(StateDict, IsFoundInAnArchiveAmongOtherFiles) {
  const std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  const std::vector<torch::Tensor> strange = {
      {"features.0.weight", {64, 3, 11, 11}, std::vector<float>(23232)}};
  const std::vector<zip::Entry> entries = {
      {"p/__init__.py", "import torch", true},
      {"p/alex.pth", torch::saved(torch::state_dict(strange), strange)},
      {"p/vgg.pth", torch::saved_before(torch::state_dict(tensors), tensors), true}};
  const std::vector<zip::Entry> outer = {{"inner.pt", zip::archive(entries)}};
  expect_same_layers(convert(zip::archive(outer)), network16());
  EXPECT_EQ(report_.source_format, "PyTorch (before 1.6), p/vgg.pth, inner.pt");
}

TEST_F(StateDict, IsRefusedInAnArchiveOfNoneOrSeveral) {
  const auto refusal_of_entries = [&](const std::vector<zip::Entry>& entries) {
    return refusal(zip::archive(entries));
  };
  const zip::Entry text = {"p/__init__.py", "import torch", true};
  const std::vector<torch::Tensor> strange = {
      {"features.0.weight", {64, 3, 11, 11}, std::vector<float>(23232)}};
  const zip::Entry alexnet = {"p/alex.pth", torch::saved(torch::state_dict(strange), strange)};
  EXPECT_THAT(refusal_of_entries({text}), HasSubstr("it is an archive without weights"));
  EXPECT_THAT(refusal_of_entries({text, alexnet}),
              AllOf(HasSubstr("p/alex.pth"), HasSubstr("it holds AlexNet")));
  const std::string keras = "\x89HDF\r\n\x1a\n";
  EXPECT_THAT(refusal_of_entries({{"a.h5", keras}, {"b.h5", keras}}),
              HasSubstr("two files of weights, a.h5 and b.h5"));
  std::string nested = zip::archive(std::array{text});
  for (int i = 0; i < 4; ++i) nested = zip::archive(std::array{zip::Entry{"a.pth", nested}});
  EXPECT_THAT(refusal(nested), HasSubstr("an archive in an archive"));
}

TEST_F(StateDict, OfAnotherNetworkSaysWhichOne) {
  EXPECT_THAT(refusal_of_names({"layer1.0.conv1.weight"}), HasSubstr("it holds ResNet"));
  EXPECT_THAT(refusal_of_names({"visual.conv1.weight"}), HasSubstr("it holds CLIP"));
  EXPECT_THAT(refusal_of_names({"features.0.weight"}, {64, 3, 11, 11}),
              HasSubstr("it holds AlexNet or NIN"));
  EXPECT_THAT(refusal_of_names({"lin0.model.1.weight"}), HasSubstr("linear layers of LPIPS"));
  EXPECT_THAT(
      refusal_of_names({"unheard.of", "a"}),
      AllOf(HasSubstr("expected VGG-19 or VGG-16"), HasSubstr("2 tensors, such as a, unheard.of")));
  EXPECT_THAT(refusal_of({}), HasSubstr("0 tensors, such as none"));
}

TEST_F(StateDict, OfARelativeOfVggSaysWhichOne) {
  std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  tensors.push_back({"features.1.running_mean", {64}, std::vector<float>(64)});
  EXPECT_THAT(refusal_of(tensors), HasSubstr("it holds VGG-16 with batch normalisation"));
  // VGG-11 has one convolution in the first block and eight in all.
  std::vector<torch::Tensor> eleven;
  for (const int module : {0, 3, 6, 8, 11, 13, 16, 18}) {
    const auto in = module == 0 ? 3 : 1;
    eleven.push_back({fmt::format("features.{}.weight", module),
                      {64, in, 3, 3},
                      std::vector<float>(static_cast<std::size_t>(64 * 9 * in))});
  }
  EXPECT_THAT(refusal_of(eleven), HasSubstr("it holds VGG-11; expected VGG-19 or VGG-16"));
}

TEST_F(StateDict, ThatIsIncompleteOrMisshapenIsRefused) {
  std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  tensors.pop_back();
  EXPECT_THAT(refusal_of(tensors), HasSubstr("features.28.bias is missing"));
  tensors = tensors_of(network16(), torchvision16);
  tensors[2].shape = {64, 64, 9, 1};
  EXPECT_THAT(refusal_of(tensors), HasSubstr("features.2.weight has the shape (64, 64, 9, 1); "
                                             "expected (64, 64, 3, 3)"));
}

TEST_F(StateDict, WhoseLayersShareValuesIsRefused) {
  std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  std::vector<std::string> items;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    // The third layer's bias has the same number of values as the fourth's.
    const std::size_t storage = tensors[i].name == "features.7.bias" ? i - 2 : i;
    items.push_back(pickle::text(tensors[i].name));
    items.push_back(torch::tensor(tensors[i], std::to_string(storage),
                                  static_cast<std::int64_t>(tensors[storage].values.size())));
  }
  EXPECT_THAT(refusal(torch::saved(pickle::dict(items), tensors)),
              HasSubstr("shares values with features."));
}

TEST_F(StateDict, WithAValueThatIsNoNumberIsRefused) {
  std::vector<torch::Tensor> tensors = tensors_of(network16(), torchvision16);
  tensors[6].values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal_of(tensors), HasSubstr("features.7.weight holds nan"));
}

}  // namespace
}  // namespace impasto::state_dict_test
