// 16 registers of 256 bits.
#define VECTOR_BYTES 32
#define ROTATE_BITS 2
#define PAIR_BITS 1
#include "kernels.hpp"

namespace native {
extern constinit const Kernels<double> avx2_double = Tiles<double>::kernels("avx2");
extern constinit const Kernels<float> avx2_single = Tiles<float>::kernels("avx2");
}  // namespace native
