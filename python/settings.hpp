// SPDX-License-Identifier: MIT
#pragma once

#include <nanobind/nanobind.h>
#include <string>

#include "host/api/engine.hpp"
#include "host/app/settings.hpp"

namespace impasto::python {

namespace nb = nanobind;

/// Python's keywords are the settings of the command line: the same table reads and checks them, so
/// that a new one is there at once. `takers` are the names that take them, besides the commands:
/// "session" for the network and the machine. A call to a command takes what belongs to the recipe
/// of a picture.
///
/// The settings with the values of `given`, which maps names to lists of texts. Where it says no preset
/// or no pooling, they are what suits the network of `engine`. Throws ErrorKind::usage for an unknown
/// name, with the nearest one, or a value that does not fit.
app::Settings read_settings(const std::string& taker, const nb::dict& given, const Engine* engine);

/// Where a session with these settings computes.
EngineOptions engine_options(const app::Settings& settings);

/// What a taker takes, for people and for type stubs: a list of dicts with name, takes, many, default
/// and help.
nb::list list_settings(const std::string& taker);

/// JSON as Python's own objects: losses and recipes look as in the log.
nb::object to_python(const app::Json& json);

}  // namespace impasto::python
