// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/convert/convert.hpp"

namespace impasto::kernels::reference {

void convert(double* y, const double* x, std::int64_t count) { std::copy(x, x + count, y); }

}  // namespace impasto::kernels::reference
