// Sums of Pauli strings, taken backwards through circuits of Pauli rotations.
//
// With G P = -P G, a rotation exp(-i theta/2 G) takes P to cos(theta) P + sin(theta) i G P: a plane rotation of the
// coefficients of P and i G P. Strings are kept as words of bits, found by a hash that is linear: that of i G P is that
// of P, xor that of G.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace native {

// What is asked. Masks are rows of `words` words; gates stand in the order of the circuit.
struct Propagated {
    int words;
    std::size_t n_gates;
    const std::uint64_t *gate_x, *gate_z;
    const double* angle;
    const std::uint8_t* free;  // whether a derivative by the angle is asked for
    std::size_t n_terms;
    const std::uint64_t *term_x, *term_z;
    const double* coefficient;
    double threshold;       // strings whose coefficient (and derivative) is smaller are dropped
    int max_weight;         // strings on more qubits are dropped; 0: none is
    std::size_t max_terms;  // beyond which the smallest are dropped, or the work is given up
    bool cut;               // whether they are dropped
    bool derivative;
    std::size_t tape_bytes;  // the most that the record of a derivative may take
};

enum class Ended { done, too_many_terms, tape_too_long };

struct Propagation {
    Ended ended = Ended::done;
    double value = 0;
    std::vector<double> slopes;  // by the angles
    double dropped = 0;          // sum of the absolute values of the coefficients that were dropped
    double dropped_squares = 0;
    bool capped = false;
    std::size_t most_terms = 0;
    std::size_t bytes = 0;  // of strings and of the record, at most at once
    double visits = 0;  // strings looked at, over all gates
};

// `interrupted` is asked now and then, and ends the work by what it throws.
Propagation propagate(const Propagated& asked, const std::function<void()>& interrupted);

}  // namespace native
