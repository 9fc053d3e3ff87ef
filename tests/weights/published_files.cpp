// SPDX-License-Identifier: MIT
#include "tests/weights/published_files.hpp"

#include <array>
#include <fmt/format.h>
#include <hdf5.h>
#include <matio.h>
#include <memory>
#include <stdexcept>

#include "tests/weights/mat_bytes.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto {
namespace {

using Field = std::pair<std::string, std::string>;

std::vector<std::int32_t> filter_shape(const ConvParameters& conv) {
  return {3, 3, static_cast<std::int32_t>(conv.in_channels),
          static_cast<std::int32_t>(conv.out_channels)};
}

std::vector<std::int32_t> bias_shape(const ConvParameters& conv, MatLayout layout) {
  const auto count = static_cast<std::int32_t>(conv.out_channels);
  return layout == MatLayout::latest ? std::vector<std::int32_t>{count, 1}
                                     : std::vector<std::int32_t>{1, count};
}

std::string pair_of(float a, float b) { return mat::numbers(std::array{1, 2}, std::array{a, b}); }

std::string conv_record(const std::string& name, const ConvParameters& conv, MatLayout layout) {
  const std::string filter = mat::numbers(filter_shape(conv), matlab_filter(conv));
  const std::string bias = mat::numbers(bias_shape(conv, layout), conv.bias);
  const std::string both = mat::cell(std::array{filter, bias});
  std::vector<Field> fields;
  switch (layout) {
    case MatLayout::oldest:
      fields = {{"filters", filter},
                {"biases", bias},
                {"pad", pair_of(1, 1)},
                {"type", mat::text("conv")},
                {"name", mat::text(name)}};
      break;
    case MatLayout::beta16:
      fields = {{"weights", both},
                {"pad", pair_of(1, 1)},
                {"type", mat::text("conv")},
                {"name", mat::text(name)},
                {"stride", pair_of(1, 1)}};
      break;
    case MatLayout::latest:
      fields = {{"name", mat::text(name)},   {"type", mat::text("conv")}, {"weights", both},
                {"size", pair_of(3, 3)},     {"pad", pair_of(1, 1)},      {"stride", pair_of(1, 1)},
                {"precious", pair_of(0, 0)}, {"dilate", pair_of(1, 1)},   {"opts", mat::cell({})}};
      break;
  }
  return mat::record(fields);
}

std::string other_record(const std::string& name, const std::string& type) {
  return mat::record(std::array<Field, 2>{{{"type", mat::text(type)}, {"name", mat::text(name)}}});
}

std::string fully_connected(const std::string& name) {
  const std::vector<float> filter(7UL * 7 * 4 * 8, 0.5F);
  const std::string both =
      mat::cell(std::array{mat::numbers(std::array{7, 7, 4, 8}, filter),
                           mat::numbers(std::array{1, 8}, std::vector<float>(8, 1.0F))});
  return mat::record(std::array<Field, 3>{
      {{"weights", both}, {"type", mat::text("conv")}, {"name", mat::text(name)}}});
}

/// The 43 layers of the published file.
std::vector<std::string> layer_records(const Weights& weights, MatLayout layout) {
  std::vector<std::string> layers;
  std::size_t conv = 0;
  for (const VggLayer& layer : vgg19) {
    const std::string name(layer.name);
    if (layer.kind == pool_kind) {
      layers.push_back(other_record(name, "pool"));
    } else if (conv < weights.convs.size()) {
      layers.push_back(conv_record(name, weights.convs[conv].parameters, layout));
      layers.push_back(other_record("relu" + name.substr(4), "relu"));
      ++conv;
    }
  }
  for (const char* name : {"fc6", "fc7", "fc8"}) {
    layers.push_back(fully_connected(name));
    layers.push_back(other_record(std::string("relu") + name[2], "relu"));
  }
  layers.back() = other_record("prob", "softmax");
  return layers;
}

std::string classes_record(std::string_view name) {
  const std::string names =
      mat::cell(std::array{mat::text("tench"), mat::text("bee"), mat::text("")});
  return mat::record(std::array<Field, 2>{{{"name", names}, {"description", names}}}, name);
}

/// The mean as an image whose average is the mean.
std::string normalization_record(const Weights& weights, MatLayout layout, std::string_view name) {
  std::string average;
  if (layout == MatLayout::latest) {
    average = mat::numbers(std::array{1, 1, 3}, weights.mean);
  } else {
    std::vector<float> image;
    for (const float mean : weights.mean) {
      for (const float offset : {-2.0F, -1.0F, 0.0F, 0.0F, 1.0F, 2.0F}) {
        image.push_back(mean + offset);
      }
    }
    average = mat::numbers(std::array{2, 3, 3}, image);
  }
  // A function handle, which MATLAB may leave anywhere, is passed over.
  const std::string handle = mat::array(mat::function_class, std::array{1, 1}, "", "");
  return mat::record(
      std::array<Field, 3>{
          {{"averageImage", average}, {"keepAspect", pair_of(1, 1)}, {"function", handle}}},
      name);
}

// Write with matio. Each function gives its variable away; the outermost one frees them all.

matvar_t* matio_numbers(const char* name, std::vector<std::size_t> shape,
                        const std::vector<float>& values) {
  return Mat_VarCreate(name, MAT_C_SINGLE, MAT_T_SINGLE, static_cast<int>(shape.size()),
                       shape.data(), const_cast<float*>(values.data()), 0);
}

matvar_t* matio_text(const char* name, std::string letters) {
  std::array<std::size_t, 2> shape = {1, letters.size()};
  return Mat_VarCreate(name, MAT_C_CHAR, MAT_T_UTF8, 2, shape.data(), letters.data(), 0);
}

matvar_t* matio_cell(const char* name, std::vector<matvar_t*> cells) {
  std::array<std::size_t, 2> shape = {1, cells.size()};
  return Mat_VarCreate(name, MAT_C_CELL, MAT_T_CELL, 2, shape.data(), cells.data(), 0);
}

matvar_t* matio_record(const char* name, const std::vector<matvar_t*>& values) {
  std::vector<const char*> names;
  for (const matvar_t* value : values) names.push_back(value->name);
  std::array<std::size_t, 2> shape = {1, 1};  // some versions of matio take no constant
  matvar_t* record =
      Mat_VarCreateStruct(name, 2, shape.data(), names.data(), static_cast<unsigned>(names.size()));
  for (matvar_t* value : values) Mat_VarSetStructFieldByName(record, value->name, 0, value);
  return record;
}

matvar_t* matio_conv(const NamedConv& conv) {
  const auto in = static_cast<std::size_t>(conv.parameters.in_channels);
  const auto out = static_cast<std::size_t>(conv.parameters.out_channels);
  matvar_t* both = matio_cell(
      "weights", {matio_numbers(nullptr, {3, 3, in, out}, matlab_filter(conv.parameters)),
                  matio_numbers(nullptr, {out, 1}, conv.parameters.bias)});
  return matio_record(nullptr, {matio_text("name", conv.name), matio_text("type", "conv"), both});
}

// Write with HDF5.

void write_hdf5(hid_t parent, const std::string& name, std::span<const hsize_t> shape,
                const std::vector<float>& values) {
  const Hdf5Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const Hdf5Dataset dataset(H5Dcreate2(parent, name.c_str(), H5T_IEEE_F32LE, space.get(),
                                       H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    throw std::runtime_error("HDF5 cannot write " + name);
  }
}

/// As Keras does: texts of fixed length, filled up with zeros.
void write_names(hid_t object, const char* attribute, const std::vector<std::string>& names) {
  const hsize_t count = names.size();
  const Hdf5Space space(H5Screate_simple(1, &count, nullptr));
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  constexpr std::size_t width = 40;
  H5Tset_size(type.get(), width);
  const Hdf5Attribute written(
      H5Acreate2(object, attribute, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
  std::string padded;
  for (const std::string& name : names) {
    padded += name;
    padded.resize(padded.size() + width - name.size(), '\0');
  }
  H5Awrite(written.get(), type.get(), padded.data());
}

/// (H,W,Cin,Cout), the last axis fastest; the first layer's channels blue, green, red.
std::vector<float> keras_kernel(const ConvParameters& conv) {
  const auto in = static_cast<std::size_t>(conv.in_channels);
  const auto out = static_cast<std::size_t>(conv.out_channels);
  std::vector<float> kernel(conv.weight.size());
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t cell = 0; cell < 9; ++cell) {
      for (std::size_t ci = 0; ci < in; ++ci) {
        const std::size_t to = in == 3 ? 2 - ci : ci;
        kernel[(cell * in + to) * out + co] = conv.weight[(co * 9 + cell) * in + ci];
      }
    }
  }
  return kernel;
}

}  // namespace

std::vector<float> matlab_filter(const ConvParameters& conv) {
  const auto in = static_cast<std::size_t>(conv.in_channels);
  const auto out = static_cast<std::size_t>(conv.out_channels);
  std::vector<float> filter(conv.weight.size());
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t h = 0; h < 3; ++h) {
      for (std::size_t w = 0; w < 3; ++w) {
        for (std::size_t ci = 0; ci < in; ++ci) {
          filter[h + 3 * (w + 3 * (ci + in * co))] = conv.weight[((co * 3 + h) * 3 + w) * in + ci];
        }
      }
    }
  }
  return filter;
}

std::string matconvnet_bytes(const Weights& weights, MatLayout layout) {
  const std::string layers = mat::cell(layer_records(weights, layout), "layers");
  if (layout == MatLayout::latest) {
    const std::string normalization = normalization_record(weights, layout, "");
    return mat::file_header() + layers +
           mat::record(std::array<Field, 2>{{{"classes", classes_record("")},
                                             {"normalization", normalization}}},
                       "meta");
  }
  return mat::file_header() + layers + classes_record("classes") +
         normalization_record(weights, layout, "normalization");
}

void write_with_matio(const Weights& weights, const std::string& path, bool compressed) {
  const std::unique_ptr<mat_t, int (*)(mat_t*)> file(
      Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5), Mat_Close);
  std::vector<matvar_t*> records;
  for (const NamedConv& conv : weights.convs) records.push_back(matio_conv(conv));
  const std::vector<float> mean(weights.mean.begin(), weights.mean.end());
  matvar_t* normalization =
      matio_record("normalization", {matio_numbers("averageImage", {1, 1, 3}, mean)});
  using Variable = std::unique_ptr<matvar_t, void (*)(matvar_t*)>;
  const Variable layers(matio_cell("layers", records), Mat_VarFree);
  const Variable meta(matio_record("meta", {normalization}), Mat_VarFree);
  const auto how = compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE;
  if (Mat_VarWrite(file.get(), layers.get(), how) != 0 ||
      Mat_VarWrite(file.get(), meta.get(), how) != 0) {
    throw std::runtime_error("matio cannot write " + path);
  }
}

void write_keras(const Weights& weights, const std::string& path, KerasNaming naming) {
  const Hdf5FileId file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const auto make_group = [](hid_t parent, const std::string& name) {
    return Hdf5Group(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  };
  const bool numbered = naming == KerasNaming::numbered;
  const Hdf5Group base(naming == KerasNaming::model ? make_group(file.get(), "model_weights")
                       : numbered                   ? make_group(file.get(), "layers")
                                  : Hdf5Group(H5Gopen2(file.get(), "/", H5P_DEFAULT)));
  std::vector<std::string> layers = {"input_1"};
  make_group(base.get(), "input_1");
  for (std::size_t i = 0; i < weights.convs.size(); ++i) {
    const auto& [our_name, conv] = weights.convs[i];
    std::string name = fmt::format("block{}_conv{}", our_name[4], our_name[6]);
    std::string kernel = name + "/kernel:0";
    std::string bias = name + "/bias:0";
    if (numbered) {
      name = i == 0 ? "conv2d" : fmt::format("conv2d_{}", i);
      kernel = "vars/0";
      bias = "vars/1";
    } else if (naming == KerasNaming::flat) {
      kernel = name + "_W_1:0";
      bias = name + "_b_1:0";
    }
    layers.push_back(name);
    const Hdf5Group group = make_group(base.get(), name);
    if (const std::size_t inner = kernel.find('/'); inner != std::string::npos) {
      make_group(group.get(), kernel.substr(0, inner));
    }
    if (naming == KerasNaming::flat || naming == KerasNaming::nested) {
      write_names(group.get(), "weight_names", {kernel, bias});
    }
    const auto in = static_cast<hsize_t>(conv.in_channels);
    const auto out = static_cast<hsize_t>(conv.out_channels);
    write_hdf5(group.get(), kernel, std::array<hsize_t, 4>{3, 3, in, out}, keras_kernel(conv));
    write_hdf5(group.get(), bias, std::array<hsize_t, 1>{out}, conv.bias);
  }
  if (!numbered) write_names(base.get(), "layer_names", layers);
}

}  // namespace impasto
