// SPDX-License-Identifier: MIT
#include "benchmarks/operation_rows.hpp"

#include <algorithm>
#include <fmt/ranges.h>
#include <new>
#include <regex>

#include "host/backend/reference/reference_backend.hpp"
#include "host/core/error.hpp"
#include "host/core/suggest.hpp"
#include "host/model/vgg.hpp"
#include "kernels/common/tuning.hpp"

namespace impasto::bench {
namespace {

/// The b-th block of VGG-19 lies behind b − 1 pools, which halve and round up.
NamedShape layer_at(std::string_view name, std::int64_t size, const Operation& op) {
  const std::string full = fmt::format("{}@{}", name, size);
  if (name == "pixels" || op.on_pixels) return {full, {1, size, size, 3}};
  const std::vector<const VggLayer*> convs = vgg19.convs();
  const auto found = std::ranges::find(convs, name, &VggLayer::name);
  if (found == convs.end()) {
    std::vector<std::string_view> names;
    for (const VggLayer* each : convs) names.push_back(each->name);
    fail(ErrorKind::usage, "--shape: expected a layer of VGG-19 before '@', got '{}'; they are {}",
         name, fmt::join(names, ", "));
  }
  const VggLayer& layer = **found;
  const int pools = name[4] - '1';
  const std::int64_t side = (size + (std::int64_t{1} << pools) - 1) >> pools;
  const std::int64_t channels = op.widens ? layer.in_channels : layer.out_channels;
  return {full, {1, side, side, channels}, layer.out_channels};
}

std::vector<NamedShape> find_shapes(const std::string& text, const Operation& op) {
  static const std::regex form(fmt::format(R"((?:(\w+)@)?{0}|{0}x{0}x{0})", R"(([1-9]\d{0,5}))"));
  std::smatch part;
  if (!std::regex_match(text, part, form)) {
    fail(ErrorKind::usage,
         "--shape: expected LAYER@SIZE, HxWxC or SIZE, of numbers from 1 to 999999, got '{}'",
         text);
  }
  const auto number = [&](std::size_t group) { return std::stol(part[group]); };
  if (part[3].matched) {
    const std::int64_t channels = number(5);
    return {{text, {1, number(3), number(4), op.on_pixels ? 3 : channels}, channels}};
  }
  if (part[1].matched) return {layer_at(part[1].str(), number(2), op)};
  std::vector<NamedShape> found;
  for (const std::string_view layer : op.layers) found.push_back(layer_at(layer, number(2), op));
  return found;
}

/// The shapes of a command line for one operation: "conv3_1@512" is conv3_1's feature map for a
/// picture of 512×512, "64x48x128" a map of H×W×C, and "512" the maps at all layers at which the
/// operation stands in VGG-19. A convolution's map is what it reads. An operation on pixels works
/// on the picture, and on each size once. Throws ErrorKind::usage.
std::vector<NamedShape> shapes_of(std::span<const std::string> texts, const Operation& op) {
  std::vector<NamedShape> shapes;
  for (const std::string& text : texts) {
    for (const NamedShape& found : find_shapes(text, op)) {
      const bool known = std::ranges::find(shapes, found.map, &NamedShape::map) != shapes.end();
      if (!op.on_pixels || !known) shapes.push_back(found);
    }
  }
  return shapes;
}

}  // namespace

std::vector<MeasuredCase> measured_cases(const Operation& op) {
  std::vector<MeasuredCase> measured;
  const std::vector<OpCase> cases = op.cases({1, 4, 4, op.on_pixels ? 3 : 8}, 8, DataType::f32);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].measured) measured.push_back({op, i, std::string(op.name) + cases[i].row});
  }
  return measured;
}

std::string layers_line(std::string_view name, const Operation& op) {
  constexpr std::size_t widest = 100;
  std::string text;
  std::string line = fmt::format("  {:<25}", name);
  const std::string indent(line.size(), ' ');
  for (const std::string_view layer : op.layers) {
    if (line.size() + 1 + layer.size() > widest) {
      text += line + '\n';
      line = indent;
    }
    line += fmt::format(" {}", layer);
  }
  return text + line + '\n';
}

void OperationRows::add_options(CLI::App& app, const std::vector<std::string>& names) {
  // CLI11's own validator shows all the names, in a line of 600 columns.
  const auto known = [=](const std::string& asked) {
    if (std::ranges::find(names, asked) != names.end()) return std::string();
    return fmt::format("there is no operation '{}': {}", asked,
                       did_you_mean(asked, names, "--list names all"));
  };
  add_axis(app, "--op", ops, "operations (all)")->check(known);
  add_axis(app, "--shape", shapes, fmt::format("SHAPEs ({})", fmt::join(shapes, ",")));
  add_batch_axis(app, batches);
}

void OperationRows::add(const MeasuredCase& measured, const std::vector<Contender>& contenders) {
  for (NamedShape shape : shapes_of(shapes, measured.op)) {
    for (const std::int64_t batch : batches) {
      shape.map.batch = batch;
      for (const Contender& contender : contenders) {
        const Precision precision = contender.backend->precision();
        if (measured.op.on_pixels && precision != Precision::fp32) continue;
        const std::string at =
            fmt::format("{}/{}/batch:{}", shape.name, to_string(precision), batch);
        const Row row{measured, shape, contender, measured.name + at};
        const auto body = [this, row](benchmark::State& state) {
          try {
            measure(state, row);
          } catch (const Error& error) {  // a library may have no way to do this
            state.SkipWithError(error.what());
          } catch (const std::bad_alloc&) {
            state.SkipWithError(out_of_memory().what());
          }
        };
        auto* registered = add_row(
            fmt::format("{}/{}/{}{}", measured.name, contender.name, at, contender.variant),
            fmt::format("{} {}", measured.name, at), contender.name + contender.variant, body);
        if (run_once && registered != nullptr) registered->Repetitions(1);
      }
    }
  }
}

OpCase OperationRows::Row::at(const Shape& map) const {
  const DataType storage = contender.backend->activation_type();
  return measured.op.cases(map, shape.out_channels, storage)[measured.place];
}

const CheckResult& OperationRows::check(const Row& row, Workbench& bench,
                                        const Prepared& prepared) {
  Backend& backend = *row.contender.backend;
  Shape map = row.shape.map;
  const double flops = row.at(map).work.flops;
  if (flops > most_checked_flops_) {
    const double rows = static_cast<double>(map.height) * most_checked_flops_ / flops;
    map.height = std::max<std::int64_t>(4, static_cast<std::int64_t>(rows));
  }
  const OpCase op_case = row.at(map);
  if (point_ != row.point) {
    const std::unique_ptr<Backend> reference = make_reference_backend();
    expected_ = outputs_of(op_case, *reference, backend.activation_type());
    point_ = row.point;
    verdicts_.clear();
  }
  // Once: repetitions run the same code on the same inputs.
  const auto known = verdicts_.find(row.contender.name);
  if (known != verdicts_.end()) return known->second;
  const Outputs found = map == row.shape.map
                            ? outputs_of(op_case, backend, bench, prepared)
                            : outputs_of(op_case, backend, backend.activation_type());
  const ErrorLimit limit = op_case.limit(backend.precision());
  return verdicts_[row.contender.name] = judge(error_of(found, expected_), limit);
}

void OperationRows::prepare(const Row& row, const OpCase& op_case) {
  const Contender& contender = row.contender;
  const std::string name = row.point + contender.name + contender.variant;
  if (ready_.row == name) return;
  ready_ = {};
  ready_.backend = contender.backend;
  ready_.bench =
      std::make_unique<Workbench>(*contender.backend, contender.backend->activation_type());
  while (ready_.sets.size() < contender.sets(contender.variant, op_case.work.bytes)) {
    ready_.sets.push_back(op_case.prepare(*contender.backend, *ready_.bench));
  }
  if (contender.instead) {
    const Contender::LaunchOn launch = contender.instead(ready_.sets.front().tensors);
    for (Prepared& set : ready_.sets) {
      set.run = [=, tensors = set.tensors] { launch(tensors); };
    }
  }
  ready_.row = name;
}

void OperationRows::measure(benchmark::State& state, const Row& row) {
  const Contender& contender = row.contender;
  const kernels::ForcedRung forced(row.measured.op.name, contender.rung.name);
  const OpCase op_case = row.at(row.shape.map);
  prepare(row, op_case);
  const CheckResult& verdict = check(row, *ready_.bench, ready_.sets.front());
  if (!verdict.passed()) {
    state.SkipWithError(fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}",
                                    verdict.error, verdict.limit)
                            .c_str());
    return;
  }
  report(state, op_case.work);
  if (run_once) {  // the check was the run
    for (auto _ : state) state.SetIterationTime(0);
    for (const char* rate : {"GB/s", "TFLOP/s"}) state.counters.erase(rate);
  } else {
    std::vector<Contender::Launch> launches;
    for (const Prepared& set : ready_.sets) launches.push_back(set.run);
    contender.measure(state, contender, launches, op_case.work);
  }
  state.counters["error"] = verdict.error;
  state.counters["channels"] = static_cast<double>(row.shape.map.channels);
  state.counters["pixels"] = static_cast<double>(row.shape.map.pixels());
  state.SetLabel(std::string(contender.rung.idea));
}

}  // namespace impasto::bench
