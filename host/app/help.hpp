// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace impasto::app {

/// The layout of --help: options aligned in one column that fits 100 columns, no noise.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat();
  std::string make_help(const CLI::App* command, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* command, std::string name) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace impasto::app
