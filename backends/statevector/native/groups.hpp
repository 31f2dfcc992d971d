// Dense real matrices on groups of numbers, a few bits of whose index vary: channels on the Pauli expectation values of
// two qubits (four bits), and complex gates on one and two qubits, with a bit for the real and the imaginary plane.
#pragma once

#include "tile.hpp"
#include "vectors.hpp"

namespace native {

namespace {

template <class Real>
struct Groups {
    typedef Real V __attribute__((vector_size(VECTOR_BYTES)));
    typedef Real Anywhere __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(Real)), may_alias));
    static constexpr int lanes = VECTOR_BYTES / sizeof(Real);
    static constexpr int lane_bits = __builtin_ctz(lanes);

    // Index of the first member of a group.
    static INLINE std::uint64_t first_of(const Group& group, std::uint64_t number) {
        for (int k = 0; k < group.varying; ++k) {
            const std::uint64_t below = (std::uint64_t{1} << group.place[k]) - 1;
            number = (number & ~below) << 1 | (number & below);
        }
        return number;
    }

    // As many groups as a vector has lanes, beside each other; lanes without a group hold 0.
    template <int M>
    static INLINE void load(const Group& group, const Real* state, std::uint64_t block, V* members) {
        const std::uint64_t n_groups = std::uint64_t{1} << (group.n_bits - group.varying);
        if (group.place[0] >= lane_bits) {
            const Real* first = state + first_of(group, block << lane_bits);
            for (int j = 0; j < M; ++j) members[j] = *reinterpret_cast<const Anywhere*>(first + group.offset[j]);
            return;
        }
        for (int j = 0; j < M; ++j) members[j] = V{};
        for (int l = 0; l < lanes; ++l) {
            const std::uint64_t number = (block << lane_bits) + l;
            if (number >= n_groups) break;
            const Real* first = state + first_of(group, number);
            for (int j = 0; j < M; ++j) reinterpret_cast<Real*>(members + j)[l] = first[group.offset[j]];
        }
    }

    template <int M>
    static INLINE void store(const Group& group, const V* members, std::uint64_t block, Real* state) {
        const std::uint64_t n_groups = std::uint64_t{1} << (group.n_bits - group.varying);
        if (group.place[0] >= lane_bits) {
            Real* first = state + first_of(group, block << lane_bits);
            for (int j = 0; j < M; ++j) *reinterpret_cast<Anywhere*>(first + group.offset[j]) = members[j];
            return;
        }
        for (int l = 0; l < lanes; ++l) {
            const std::uint64_t number = (block << lane_bits) + l;
            if (number >= n_groups) break;
            Real* first = state + first_of(group, number);
            for (int j = 0; j < M; ++j) first[group.offset[j]] = reinterpret_cast<const Real*>(members + j)[l];
        }
    }

    template <int M>
    static void multiply_of(const Group& group, const Real* matrix, Real* state, std::uint64_t begin,
                            std::uint64_t end) {
        constexpr int rows = M < 8 ? M : 8;  // sums in registers, as many as hide the latency of two units
        for (std::uint64_t block = begin; block < end; ++block) {
            V in[M], out[M];
            load<M>(group, state, block, in);
            for (int i = 0; i < M; i += rows) {
                V sum[rows] = {};
#pragma GCC unroll 16
                for (int j = 0; j < M; ++j)
#pragma GCC unroll 8
                    for (int r = 0; r < rows; ++r) sum[r] += matrix[(i + r) * M + j] * in[j];
#pragma GCC unroll 8
                for (int r = 0; r < rows; ++r) out[i + r] = sum[r];
            }
            store<M>(group, out, block, state);
        }
    }

    static void multiply(const Group& group, const Real* matrix, Real* state, std::uint64_t begin, std::uint64_t end) {
        if (group.varying == 2)
            multiply_of<4>(group, matrix, state, begin, end);
        else if (group.varying == 3)
            multiply_of<8>(group, matrix, state, begin, end);
        else
            multiply_of<16>(group, matrix, state, begin, end);
    }

    // Adds the products of members of two states, summed over groups of four bits, to sums[left][right].
    static void outer(const Group& group, const Real* left, const Real* right, double* sums, std::uint64_t begin,
                      std::uint64_t end) {
        constexpr int M = 16, deep = 8, tile = VECTOR_BYTES == 64 ? 4 : 2;
        V total[M * M] = {};
        for (std::uint64_t block = begin; block < end; block += deep) {
            V a[deep][M], b[deep][M];
            const int n = end - block < deep ? static_cast<int>(end - block) : deep;
            for (int t = 0; t < n; ++t) {
                load<M>(group, left, block + t, a[t]);
                load<M>(group, right, block + t, b[t]);
            }
            for (int i = 0; i < M; i += tile)
                for (int j = 0; j < M; j += tile) {
                    V sum[tile][tile] = {};
                    for (int t = 0; t < n; ++t)
#pragma GCC unroll 4
                        for (int r = 0; r < tile; ++r)
#pragma GCC unroll 4
                            for (int c = 0; c < tile; ++c) sum[r][c] += a[t][i + r] * b[t][j + c];
                    for (int r = 0; r < tile; ++r)
                        for (int c = 0; c < tile; ++c) total[(i + r) * M + j + c] += sum[r][c];
                }
        }
        for (int k = 0; k < M * M; ++k)
            for (int l = 0; l < lanes; ++l) sums[k] += total[k][l];
    }
};

}  // namespace
}  // namespace native
