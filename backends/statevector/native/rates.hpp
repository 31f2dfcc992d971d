// What a machine reaches, to hold what a program reaches against.
#pragma once

#include "pool.hpp"
#include "tile.hpp"

namespace native {

// Additions and multiplications per second of all workers at once, in registers.
template <class Real>
double peak_flops(const Kernels<Real>& kernels, Pool& pool, Watch& watch);

// Bytes read and written per second by all workers at once that copy so many bytes.
double copy_bytes_per_s(std::size_t bytes, Pool& pool, Watch& watch);

}  // namespace native
