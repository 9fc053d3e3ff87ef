// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "host/app/settings.hpp"
#include "host/batch/link.hpp"
#include "host/batch/run_directory.hpp"

namespace impasto::app {

/// The hidden command of a worker process.
inline constexpr auto worker_command = "batch-worker";

/// What a batch computes on: --devices, with what "all" and "auto" stand for.
std::vector<std::string> devices_of(const Settings& settings);

/// Starts this program as a worker on a device, with so many threads if that is the CPU. A program
/// of its own, since a GPU does not survive a fork. Without a directory it writes nothing. With
/// `one_by_one` it computes no pictures side by side, and so waits for none.
pid_t start_worker(const Settings& settings, const batch::RunDirectory* directory,
                   const std::string& device, int threads, const batch::Link& link,
                   bool one_by_one);

/// The worker itself, with the words that start_worker() gave it; its exit code.
int work_for_supervisor(std::span<char* const> words);

}  // namespace impasto::app
