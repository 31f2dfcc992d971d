// Pauli strings as masks, and subspaces of GF(2)^n.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace native {

using Mask = std::uint64_t;

inline bool odd(Mask mask) { return std::popcount(mask) & 1; }

// i^phase X^x Z^z. With the number of qubits in both masks as its phase it is a string of X, Y and Z; a change of the
// basis of GF(2)^n keeps the phase.
struct Pauli {
    Mask x = 0;
    Mask z = 0;
    int phase = 0;

    static Pauli string(Mask x, Mask z) { return {x, z, std::popcount(x & z) % 4}; }

    bool commutes(const Pauli& other) const { return odd(x & other.z) == odd(z & other.x); }
};

// The span of vectors over GF(2), in reduced echelon form.
class Space {
public:
    std::size_t dimension() const { return rows_.size(); }

    // The highest bit of each row; no other row has it.
    Mask pivots() const {
        Mask mask = 0;
        for (const Row& row : rows_) mask |= std::bit_floor(row.vector);
        return mask;
    }

    // What is left of a vector after subtraction of rows; zero if it lies in the space.
    Mask residue(Mask vector) const { return reduced(vector).vector; }

    bool contains(Mask vector) const { return residue(vector) == 0; }

    // Which of the vectors that were added sum up to a vector of the space, as a mask over their order of addition.
    Mask coordinates(Mask vector) const { return reduced(vector).sum; }

    // Add a vector; false if it is in the space already.
    bool add(Mask vector) {
        Row row = reduced(vector);
        if (!row.vector) return false;
        row.sum ^= Mask{1} << added_++;
        const Mask pivot = std::bit_floor(row.vector);
        for (Row& other : rows_)
            if (other.vector & pivot) other = other + row;
        rows_.push_back(row);
        return true;
    }

    // Masks whose parities with a vector are all even iff it lies in the space, among the given bits.
    std::vector<Mask> checks(Mask bits) const {
        std::vector<Mask> masks;
        for (Mask rest = bits & ~pivots(); rest; rest &= rest - 1) {
            const Mask bit = rest & -rest;
            Mask mask = bit;
            for (const Row& row : rows_)
                if (row.vector & bit) mask |= std::bit_floor(row.vector);
            masks.push_back(mask);
        }
        return masks;
    }

private:
    struct Row {
        Mask vector = 0;
        Mask sum = 0;

        Row operator+(const Row& other) const { return {vector ^ other.vector, sum ^ other.sum}; }
    };

    Row reduced(Mask vector) const {
        Row row{vector, 0};
        for (const Row& other : rows_)
            if (row.vector & std::bit_floor(other.vector)) row = row + other;
        return row;
    }

    std::vector<Row> rows_;
    int added_ = 0;
};

}  // namespace native
