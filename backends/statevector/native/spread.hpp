// Where the amplitudes of a state lie.
#pragma once

#include <vector>

#include "pauli.hpp"

namespace native {

// Another basis of GF(2)^n, in which rows of a tile, often powers of two apart, do not meet in the same sets of the
// cache: high bits of an index are added to low ones. It is its own inverse.
class Spread {
public:
    Spread(int n_bits, int lane_bits) {
        constexpr int set_bits = 10;
        const int first = lane_bits + set_bits;
        for (int bit = first; bit < n_bits; ++bit) pairs_.push_back({bit, first - 1 - (bit - first) % set_bits});
    }

    Mask index(Mask i) const {
        Mask out = i;
        for (const Pair& pair : pairs_) out ^= (i >> pair.high & 1) << pair.low;
        return out;
    }

    Pauli string(const Pauli& p) const {
        Mask z = p.z;
        for (const Pair& pair : pairs_) z ^= (p.z >> pair.low & 1) << pair.high;
        return {index(p.x), z, p.phase};
    }

private:
    struct Pair {
        int high, low;
    };
    std::vector<Pair> pairs_;
};

}  // namespace native
