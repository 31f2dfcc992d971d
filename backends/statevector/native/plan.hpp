// In which order, and where, the rotations of a circuit are applied.
//
// A state is walked in passes. In a pass it is divided into tiles that fit the cache: cosets of a subspace of
// GF(2)^n which holds the lowest bits of the index (the lanes of a vector register) and the X masks of all rotations
// of the pass. A tile is a list of rows, each the two vectors of the real and imaginary parts of neighbouring
// amplitudes. What a tile goes through are operations: sweeps of rotations, which apply several of them to a few rows
// held in registers, and diagonal layers.
#pragma once

#include <cstdint>
#include <vector>

#include "pauli.hpp"
#include "tile.hpp"

namespace native {

// exp(-i angle P). The angle is one of those that are told later, times the weight.
struct Rotation {
    Pauli string;
    std::int32_t angle = 0;
    double weight = 1;
};

// c P in a sum of Pauli strings.
struct Term {
    Pauli string;
    double coefficient = 0;
};

struct Pass {
    int row_bits;                       // a tile has 2^row_bits rows
    std::vector<std::uint32_t> block;   // of each row, its place in units of rows of the state, if the tile's is 0
    std::vector<std::uint8_t> flip;     // and by which mask its lanes are exchanged
    std::vector<Mask> bases;            // index of the first amplitude of a tile: a sum of some of these
    // Of each row: it holds amplitudes that are not zero iff the tile has the same.
    std::vector<std::uint32_t> syndrome;
    std::vector<Mask> checks;           // the bits of syndromes, as parities of the index
    std::vector<Sweep> sweeps;
    std::vector<Layer> layers;
    std::vector<Step> steps;
    std::vector<Diagonal> diagonals;
    std::vector<Operation> operations;

    std::uint64_t tiles() const { return std::uint64_t{1} << bases.size(); }

    Mask base(std::uint64_t tile) const {
        Mask mask = 0;
        for (std::size_t k = 0; k < bases.size(); ++k)
            if (tile >> k & 1) mask ^= bases[k];
        return mask;
    }
};

// What a machine and a way of computing prefer.
struct Shape {
    int lane_bits;     // a vector holds 2^lane_bits amplitudes
    int tile_bits;     // a tile holds at most 2^tile_bits
    int block_bits;    // a sweep holds 2^block_bits rows in registers
    int layer_least;   // diagonals that make a layer
    int cross_least;   // the same for those that depend on rows and lanes
};

// Passes of rotations, in the order of their application to |0...0>, or undone from the last one on.
std::vector<Pass> rotation_passes(const std::vector<Rotation>& rotations, int n_qubits, const Shape& shape, bool undone,
                                  bool from_zero);

// Passes that apply a sum of strings.
std::vector<Pass> term_passes(const std::vector<Term>& terms, int n_qubits, const Shape& shape);

}  // namespace native
