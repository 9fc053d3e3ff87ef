// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

// A fuzz target is one reader. Its file defines these two functions; driver.cpp changes the seeds
// and has the reader read what comes out.

namespace impasto::fuzz {

/// Good files, one of each layout that the reader knows. The reader must read them.
std::vector<std::string> seeds();

/// Reads the file at `path`. A good reader returns, or throws an Error that is no defect of ours.
void read_input(const std::string& path);

}  // namespace impasto::fuzz
