// What a tile of a state goes through, as plain data for the kernels.
//
// Nothing here needs the standard library: the kernels are compiled once for each instruction set, and a template that
// two of them share could be linked in the wrong one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace native {

constexpr int most_steps = 128;  // of a pass: amplitudes are scaled by up to sqrt(2) for each

// A rotation or term as a sweep applies it to the rows of a block.
struct Step {
    std::uint64_t z;                // over the index, for the sign that a tile gives
    std::uint32_t row_z;   // over the number of a row
    std::int32_t index;    // of the rotation or term
    std::uint8_t partner;  // which row of the block is coupled to row r: r ^ partner
    std::uint8_t lanes;    // and which lane of it to lane l: l ^ lanes
    std::uint8_t signs;    // bit r: the sign of row r of the block that starts at row 0
    bool real;             // whether -i P is real: an odd number of Y
};

// Steps on blocks of 2^d rows: row, row ^ rows[1], ...; the first rows have no bit of the pivots.
struct Sweep {
    std::uint32_t rows[8];
    std::uint32_t pivots;
    std::int32_t begin, end;  // of the steps
};

// A Z string in a diagonal layer, or one of several terms with the same X mask.
struct Diagonal {
    std::uint64_t z;
    std::uint32_t row_z;
    std::int32_t index;
    std::uint8_t lane_z;
    bool imaginary;  // of a term: an odd number of Y
};

// Diagonals applied at once from tables over rows.
struct Layer {
    std::int32_t begin, end;  // of the diagonals
    std::uint32_t partner;    // of terms with an X mask: which row of the tile is coupled to row r
    std::uint8_t lanes;       // and which lane
    bool crossing;            // whether one depends on the row and on the lane
};

struct Operation {
    enum Kind : std::uint8_t { sweep, layer } kind;
    std::int32_t number;
};

// Where a tile's rows lie, and what it goes through.
struct View {
    int row_bits;
    const std::uint32_t* block;
    const std::uint8_t* flip;
    const std::uint32_t* syndrome;
    const Operation* operations;
    const Sweep* sweeps;
    const Layer* layers;
    const Step* steps;
    const Diagonal* diagonals;
    std::int32_t n_operations, n_steps, n_diagonals;
    bool zeros;  // whether some rows are known to hold nothing
};

// The place of one tile.
struct Place {
    std::uint64_t base;      // index of its first amplitude
    std::uint32_t syndrome;  // rows with another one hold nothing
};

// Which numbers of a state belong together.
struct Group {
    std::int32_t n_bits;      // of the index of a state
    std::int32_t varying;     // bits that vary in a group: 2, 3 or 4
    std::int32_t place[4];    // of each of these bits, ascending
    std::uint64_t offset[16]; // of each member from the first
};

template <class Real>
struct Kernels {
    const char* name;
    int lane_bits, rotate_bits, adjoint_bits, observe_bits;

    // Bytes of scratch memory that a tile of so many rows needs.
    std::size_t (*scratch_bytes)(int row_bits, int states);

    // Write the vectors v, -v and v of a step, v = value (-1)^(lane & z).
    void (*coefficients)(Real* vectors, double value, std::uint64_t z);

    // Gather a tile, apply the pass, scatter it.
    void (*rotate)(const View&, const Place&, const Place& next, const Real* coefficients,
                   const double* angles, Real scale, Real* state, void* scratch);

    // The same on psi and lambda, undone; adds 2 Im <lambda| P |psi> of steps and diagonals to `slopes`.
    void (*undo)(const View&, const Place&, const Place& next, const Real* coefficients,
                 const double* angles, Real scale, Real* psi, Real* lambda, double* slopes, void* scratch);

    // lambda (+)= H psi, if there is a lambda; the sum of <psi| H |psi> over the tile.
    double (*observe)(const View&, const Place&, const Place& next, const Real* coefficients,
                      const double* weights, const Real* psi, Real* lambda, bool add, void* scratch);

    // Each group of some blocks of a state (as many groups as a vector has lanes) times a matrix.
    void (*multiply)(const Group&, const Real* matrix, Real* state, std::uint64_t begin, std::uint64_t end);

    // Adds the products of the 16 members of groups of two states, summed over some blocks, to sums[left][right].
    void (*outer)(const Group&, const Real* left, const Real* right, double* sums, std::uint64_t begin,
                  std::uint64_t end);

    // Multiply and add in registers, so many times; how many operations one time is.
    std::size_t (*multiply_add)(std::size_t rounds);
};

}  // namespace native
