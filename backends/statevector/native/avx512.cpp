// 32 registers of 512 bits.
#define VECTOR_BYTES 64
#define ROTATE_BITS 3
#define PAIR_BITS 2
#include "kernels.hpp"

namespace native {
extern constinit const Kernels<double> avx512_double = Tiles<double>::kernels("avx512");
extern constinit const Kernels<float> avx512_single = Tiles<float>::kernels("avx512");
}  // namespace native
