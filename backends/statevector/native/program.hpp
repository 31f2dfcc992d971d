// A circuit of Pauli rotations and the observables that are asked of it, ready to run.
#pragma once

#include <complex>
#include <cstddef>
#include <mutex>
#include <vector>

#include "plan.hpp"
#include "pool.hpp"

namespace native {

constexpr int most_qubits = 32;  // the places of rows are kept in 32 bits

// Of the passes over a state.
struct Counts {
    std::size_t passes, sweeps, layers, steps, diagonals;

    void add(const Pass& pass) {
        ++passes;
        sweeps += pass.sweeps.size();
        layers += pass.layers.size();
        steps += pass.steps.size();
        diagonals += pass.diagonals.size();
    }
};

// A program in either precision.
class Evaluator {
public:
    virtual ~Evaluator() = default;

    virtual int n_qubits() const = 0;
    virtual std::size_t n_angles() const = 0;
    virtual std::size_t n_observables() const = 0;

    // Values of shape (rows, observables) from angles of shape (rows, angles); slopes, if asked for, of shape
    // (rows, observables, angles).
    virtual void energies(const double* angles, std::size_t rows, double* values, double* slopes, Pool& pool,
                          Watch& watch) const = 0;
};

template <class Real>
class Program final : public Evaluator {
public:
    // Rotations in the order of their application to |0...0>; of at most `most_qubits` qubits.
    Program(int n_qubits, std::vector<Rotation> rotations, std::size_t n_angles,
            std::vector<std::vector<Term>> observables, const Kernels<Real>& kernels);

    int n_qubits() const override { return n_qubits_; }
    std::size_t n_angles() const override { return n_angles_; }
    std::size_t n_observables() const override { return observables_.size(); }

    void energies(const double* angles, std::size_t rows, double* values, double* slopes, Pool& pool,
                  Watch& watch) const override;

    // The final state, 2^n amplitudes, up to a global phase.
    void state(const double* angles, std::complex<Real>* amplitudes, Pool& pool, Watch& watch) const;

    // 2 Re <lambda| d psi> by each angle, for a psi from `state` and any lambda, of 2^n amplitudes each.
    void slopes(const double* angles, const std::complex<Real>* psi, const std::complex<Real>* lambda, double* slopes,
                Pool& pool, Watch& watch) const;

    Counts counts(bool undone) const;
    Counts observed() const;  // of all observables

private:
    struct Workspace;

    const std::vector<Pass>& undo_passes() const;
    int states(bool slopes) const;
    Workspace workspace(int workers, int states) const;
    void bind(const double* angles, Workspace& space) const;
    void forward(Workspace& space, const Crew& crew) const;
    double observe(std::size_t observable, bool store, Workspace& space, const Crew& crew) const;
    void undo(Workspace& space, const Crew& crew, double* slopes) const;
    // Call `copy(i, at, sign)` for amplitude i of 2^n, whose real part lies at `at`, times the sign, in the workspace.
    template <class Copy>
    void for_amplitudes(const Workspace& space, Pool& pool, Watch& watch, const Copy& copy) const;
    void row(const double* angles, double* values, double* slopes, Workspace& space, const Crew& crew) const;

    int n_qubits_, n_bits_;
    std::size_t n_angles_;
    std::vector<Rotation> rotations_;
    std::vector<std::vector<Term>> observables_;
    const Kernels<Real>& kernels_;
    std::vector<Pass> forward_;
    mutable std::once_flag undo_planned_;
    mutable std::vector<Pass> undo_;
    std::vector<std::vector<Pass>> observe_;
};

}  // namespace native
