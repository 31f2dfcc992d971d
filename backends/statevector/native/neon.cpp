// 32 registers of 128 bits.
#define VECTOR_BYTES 16
#define ROTATE_BITS 3
#define PAIR_BITS 2
#include "kernels.hpp"

namespace native {
extern constinit const Kernels<double> neon_double = Tiles<double>::kernels("neon");
extern constinit const Kernels<float> neon_single = Tiles<float>::kernels("neon");
}  // namespace native
