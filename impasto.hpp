// SPDX-License-Identifier: MIT
#pragma once

/// Impasto as a library: the one header to include (docs/cpp.md has an example).
///
/// - Engine opens a backend and a network, and stylizes, scores and looks inside the network.
/// - Config says what is wanted: preset("impasto") is where to start from.
/// - load_image() and save_image() are for files; Image is a plain struct for pictures in memory.
/// - Stylization plans for pictures of one size, several side by side, and is run again and again;
///   Stylizer takes single steps.
/// - inspect_weights() is for weight files; convert_weights() and fetch_weights() make them, and are
///   in the library impasto::convert.
///
/// Every failure is an Error, whose kind() says what went wrong and whose message names what is at
/// fault. The library prints nothing and never exits.

#include "host/api/engine.hpp"
#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/config.hpp"
#include "host/engine/initial.hpp"
#include "host/engine/stylization.hpp"
#include "host/engine/stylizer.hpp"
#include "host/image/decode.hpp"
#include "host/image/encode.hpp"
#include "host/image/image.hpp"
#include "host/image/resize.hpp"
#include "host/samples/samples.hpp"
#include "weights/convert.hpp"
#include "weights/store.hpp"
#include "weights/weights_file.hpp"
