// A circuit under noise, as channels on pairs of qubits that are products of small matrices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program.hpp"

namespace native {

// What a noisy circuit is made of; places are those of backends/density/program.py, the identity behind the last.
struct NoisySteps {
    int n_qubits;
    std::size_t n_alpha, n_channels, n_edges, n_measured;
    std::vector<double> ones, twos;  // of each gate A, B and C of A + cos(alpha) B + sin(alpha) C, by rows
    std::vector<std::int32_t> ones_angle, twos_angle;
    std::vector<std::vector<std::int32_t>> chains;  // gates on one qubit, then channels, the first to act first
    std::vector<std::int32_t> bases;                // chains that turn X, Y and Z of each measured qubit
    std::vector<std::int32_t> segments;             // of each: two chains, a gate, a channel, two that are measured
    std::vector<std::vector<std::int32_t>> blocks;  // segments of each step
    std::vector<std::int32_t> pairs;                // of each step

    std::size_t n_ones() const { return ones_angle.size(); }
    std::size_t n_twos() const { return twos_angle.size(); }
    std::size_t n_inputs() const { return n_alpha + 3 * n_channels + 7 * n_edges + 2 * n_measured; }
};

// A Pauli string of an observable, as the place of its expectation value.
struct Told {
    std::int32_t place;
    double coefficient;
};

// Its "angles" are the angles of the gates, and then the numbers of the channels: on one qubit what is left of X and Y,
// what is left of Z, and what Z gains; on two these of the upper and of the lower, and what is left of all strings but
// the identity; of each measured qubit what is added, and what is left.
class Noisy final : public Evaluator {
public:
    // For derivatives, the values before every so many steps are kept.
    Noisy(NoisySteps steps, std::vector<std::vector<Told>> observables, std::size_t every,
          const Kernels<double>& kernels)
        : made_of_(std::move(steps)), observables_(std::move(observables)), every_(every), kernels_(kernels) {}

    int n_qubits() const override { return made_of_.n_qubits; }
    std::size_t n_angles() const override { return made_of_.n_inputs(); }
    std::size_t n_observables() const override { return observables_.size(); }

    void energies(const double* inputs, std::size_t rows, double* values, double* slopes, Pool& pool,
                  Watch& watch) const override;

private:
    NoisySteps made_of_;
    std::vector<std::vector<Told>> observables_;
    std::size_t every_;
    const Kernels<double>& kernels_;
};

}  // namespace native
