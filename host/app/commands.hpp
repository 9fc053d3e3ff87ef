// SPDX-License-Identifier: MIT
#pragma once

namespace CLI {
class App;
}

namespace impasto::app {

/// Each adds a subcommand, or a few that belong together, with their options and what they do once they are read.
void add_stylize_command(CLI::App& program);
/// batch, resume and status.
void add_batch_commands(CLI::App& program);
void add_sweep_command(CLI::App& program);
void add_frames_command(CLI::App& program);
void add_score_command(CLI::App& program);
void add_activations_command(CLI::App& program);
void add_weights_command(CLI::App& program);
void add_samples_command(CLI::App& program);
void add_devices_command(CLI::App& program);
void add_check_command(CLI::App& program);

}  // namespace impasto::app
