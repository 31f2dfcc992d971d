// Channels on pairs of qubits, on the 4^n Pauli expectation values of a state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool.hpp"
#include "tile.hpp"

namespace native {

struct Channels {
    int n_qubits;
    std::size_t n_steps;
    const double* steps;        // matrices of 16 x 16, by rows
    const std::int32_t* pairs;  // the lower and the upper qubit of each
};

// The values after the steps, from |0...0>.
void evolve(const Channels&, double* values, const Kernels<double>&, Pool&, Watch&);

// The derivatives of the sum of slopes x values by the steps, 16 x 16 each. The values before every so many steps are
// kept, and those between them computed again.
void pull_back(const Channels&, const double* slopes, std::size_t every, double* derivatives, const Kernels<double>&,
               Pool&, Watch&);

}  // namespace native
