// Quantum trajectories: pure states through gates, and through errors that are drawn with probabilities of their own.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool.hpp"
#include "tile.hpp"

namespace native {

// What happens next.
struct Event {
    enum Kind : std::int32_t { gate, pair_gate, error, pair_error, relaxation };
    Kind kind;
    std::int32_t first, second;  // qubits
    std::int32_t number;         // of the gate's matrix, or of the place that errs
};

// A product of one operator a I + x X + y Y + z Z on each of some qubits.
struct Factors {
    std::size_t begin, end;  // places in the lists of all
};

struct NoisyCircuit {
    int n_qubits;
    std::vector<Event> events;
    std::vector<std::complex<double>> gates;  // 2 x 2 or 4 x 4, by rows; `at` says where each begins
    std::vector<std::size_t> at;
    std::vector<double> weight;  // of each place that errs: of any error or of a phase flip, which may be negative
    std::vector<double> reset;   // of each place: of a reset to |0>
    std::vector<Factors> products;
    std::vector<std::int32_t> qubit;
    std::vector<double> factor;  // four for each qubit of a product
};

// What is drawn at a place.
enum Choice : std::uint8_t { nothing, erred, was_reset };

// Of each trajectory: the values of the products, what they are to be weighted with, and what was drawn at each place.
// A trajectory depends on the seed and its number alone.
struct Drawn {
    double* values;
    double* weights;
    std::uint8_t* choices;
};

void trajectories(const NoisyCircuit&, std::uint64_t seed, std::uint64_t first, std::size_t count, const Drawn&,
                  const Kernels<double>&, Pool&, Watch&);

}  // namespace native
