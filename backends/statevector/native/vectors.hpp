// Vectors of VECTOR_BYTES bytes, and sine and cosine on them.
#pragma once

#include <cstdint>

#define INLINE __attribute__((always_inline)) inline

namespace native {
namespace {

template <class Real>
struct Lanes;

template <>
struct Lanes<double> {
    using Index = std::int64_t;
};

template <>
struct Lanes<float> {
    using Index = std::int32_t;
};

using Doubles __attribute__((vector_size(VECTOR_BYTES))) = double;
using Longs __attribute__((vector_size(VECTOR_BYTES))) = std::int64_t;

INLINE bool odd(std::uint64_t mask) { return __builtin_parityll(mask); }

// sin and cos of each lane, |x| up to 10^5, within 2 units in the last place: Cody and Waite's reduction to a quarter
// turn, and the polynomials of fdlibm.
INLINE void sincos(Doubles x, Doubles& sine, Doubles& cosine) {
    const Doubles shift = Doubles{} + 0x1.8p52;
    const Doubles shifted = x * 0x1.45f306dc9c883p-1 + shift;  // 2 / pi
    const Doubles quarters = shifted - shift;
    const Longs turn = (Longs)shifted;
    Doubles r = x - quarters * 0x1.921fb54400000p+0;
    r = r - quarters * 0x1.0b4611a600000p-34;
    r = r - quarters * 0x1.3198a2e037073p-69;
    const Doubles s = r * r;
    Doubles p = Doubles{} + 1.58969099521155010221e-10;
    p = p * s - 2.50507602534068634195e-08;
    p = p * s + 2.75573137070700676789e-06;
    p = p * s - 1.98412698298579493134e-04;
    p = p * s + 8.33333333332248946124e-03;
    p = p * s - 1.66666666666666324348e-01;
    const Doubles small_sine = r + r * s * p;
    Doubles q = Doubles{} - 1.13596475577881948265e-11;
    q = q * s + 2.08757232129817482790e-09;
    q = q * s - 2.75573143513906633035e-07;
    q = q * s + 2.48015872894767294178e-05;
    q = q * s - 1.38888888888741095749e-03;
    q = q * s + 4.16666666666666019037e-02;
    const Doubles small_cosine = 1.0 - 0.5 * s + s * s * q;
    const Longs swapped = -(turn & 1);
    const Longs sign_bit = Longs{} + static_cast<std::int64_t>(0x8000000000000000ull);
    const Longs sine_sign = ((turn & 2) != 0) & sign_bit;
    const Longs cosine_sign = (((turn + 1) & 2) != 0) & sign_bit;
    const Longs a = ((Longs)small_sine & ~swapped) | ((Longs)small_cosine & swapped);
    const Longs b = ((Longs)small_cosine & ~swapped) | ((Longs)small_sine & swapped);
    sine = (Doubles)(a ^ sine_sign);
    cosine = (Doubles)(b ^ cosine_sign);
}

}  // namespace
}  // namespace native
