#define VECTOR_BYTES 64
#define ROTATE_BITS 3
#define PAIR_BITS 2
#include "kernels.hpp"

namespace native {
extern const Kernels<double> avx512_double = Tiles<double>::kernels("AVX-512");
extern const Kernels<float> avx512_float = Tiles<float>::kernels("AVX-512");
}  // namespace native
