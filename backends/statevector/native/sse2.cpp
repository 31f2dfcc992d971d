// 16 registers of 128 bits.
#define VECTOR_BYTES 16
#define ROTATE_BITS 2
#define PAIR_BITS 1
#include "kernels.hpp"

namespace native {
extern constinit const Kernels<double> sse2_double = Tiles<double>::kernels("sse2");
extern constinit const Kernels<float> sse2_single = Tiles<float>::kernels("sse2");
}  // namespace native
