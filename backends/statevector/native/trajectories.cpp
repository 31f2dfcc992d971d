#include "trajectories.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "groups_of.hpp"
#include "memory.hpp"

namespace native {
namespace {

using Complex = std::complex<double>;
using One = std::array<Complex, 4>;

constexpr One paulis[4] = {{{1, 0, 0, 1}},
                           {{0, 1, 1, 0}},
                           {{0, Complex(0, -1), Complex(0, 1), 0}},
                           {{1, 0, 0, -1}}};

One product(const One& a, const One& b) {
    return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
            a[2] * b[1] + a[3] * b[3]};
}

// Numbers of a stream of its own for each trajectory: splitmix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014).
class Stream {
public:
    Stream(std::uint64_t seed, std::uint64_t number) : state_(mixed(seed + mixed(number + golden))) {}

    // From 0 up to 1, without it.
    double uniform() { return static_cast<double>(mixed(state_ += golden) >> 11) * 0x1p-53; }

private:
    static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ull;

    static std::uint64_t mixed(std::uint64_t x) {
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
        x = (x ^ x >> 27) * 0x94d049bb133111ebull;
        return x ^ x >> 31;
    }

    std::uint64_t state_;
};

// One pure state, its real parts before its imaginary ones.
class State {
public:
    State(const NoisyCircuit& circuit, const Kernels<double>& kernels)
        : circuit_(circuit),
          kernels_(kernels),
          n_(std::size_t{1} << circuit.n_qubits),
          psi_(2 * n_ * sizeof(double)),
          other_(2 * n_ * sizeof(double)),
          waiting_(circuit.n_qubits) {}

    void run(Stream& stream, double* values, double& weight, std::uint8_t* choices) {
        std::fill(psi(), psi() + 2 * n_, 0.0);
        psi()[0] = 1;
        std::fill(waiting_.begin(), waiting_.end(), paulis[0]);
        std::fill(waits_.begin(), waits_.end(), false);
        weight = 1;
        for (const Event& event : circuit_.events) {
            switch (event.kind) {
                case Event::gate: {
                    One gate;
                    std::copy_n(circuit_.gates.data() + circuit_.at[event.number], 4, gate.begin());
                    wait(event.first, gate);
                    break;
                }
                case Event::pair_gate: apply_pair(event); break;
                case Event::error:
                case Event::pair_error: err(event, stream, choices); break;
                case Event::relaxation: relax(event, stream, weight, choices); break;
            }
        }
        for (int q = 0; q < circuit_.n_qubits; ++q) flush(q);
        measure(values);
    }

private:
    double* psi() const { return psi_.as<double>(); }
    double* other() const { return other_.as<double>(); }

    void wait(int q, const One& gate) {
        waiting_[q] = product(gate, waiting_[q]);
        waits_[q] = true;
    }

    void multiply(const Group& group, const double* matrix, double* state) const {
        kernels_.multiply(group, matrix, state, 0, Chunks(group, kernels_.lane_bits).blocks);
    }

    // A gate on one qubit as a real matrix on the bit of the qubit and that of the plane.
    void apply(int q, const One& gate, double* state) const {
        double matrix[16];
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j) {
                const Complex u = gate[2 * i + j];
                matrix[4 * i + j] = matrix[4 * (i + 2) + j + 2] = u.real();
                matrix[4 * (i + 2) + j] = u.imag();
                matrix[4 * i + j + 2] = -u.imag();
            }
        multiply(group_of_bits(circuit_.n_qubits + 1, {q, circuit_.n_qubits}), matrix, state);
    }

    void flush(int q) {
        if (!waits_[q]) return;
        apply(q, waiting_[q], psi());
        waiting_[q] = paulis[0];
        waits_[q] = false;
    }

    // A gate on two qubits after what waits on each: 4 x 4, the first qubit the lower bit.
    void apply_pair(const Event& event) {
        const Complex* gate = circuit_.gates.data() + circuit_.at[event.number];
        const One &low = waiting_[event.first], &high = waiting_[event.second];
        double matrix[64];
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) {
                Complex u = 0;
                for (int k = 0; k < 4; ++k)
                    u += gate[4 * i + k] * low[2 * (k & 1) + (j & 1)] * high[2 * (k >> 1) + (j >> 1)];
                matrix[8 * i + j] = matrix[8 * (i + 4) + j + 4] = u.real();
                matrix[8 * (i + 4) + j] = u.imag();
                matrix[8 * i + j + 4] = -u.imag();
            }
        multiply(group_of_bits(circuit_.n_qubits + 1, {event.first, event.second, circuit_.n_qubits}), matrix, psi());
        for (const int q : {event.first, event.second}) {
            waiting_[q] = paulis[0];
            waits_[q] = false;
        }
    }

    // One of the Pauli strings but the identity, all as likely.
    void err(const Event& event, Stream& stream, std::uint8_t* choices) {
        const double p = circuit_.weight[event.number], u = stream.uniform();
        choices[event.number] = u < p ? erred : nothing;
        if (u >= p) return;
        const int strings = event.kind == Event::error ? 3 : 15;
        const int string = 1 + std::min(static_cast<int>(u / p * strings), strings - 1);
        if (string & 3) wait(event.first, paulis[string & 3]);
        if (string >> 2) wait(event.second, paulis[string >> 2]);
    }

    // A reset, a phase flip, or neither. A weight below 0 is drawn as often as one above, and counted negatively.
    void relax(const Event& event, Stream& stream, double& weight, std::uint8_t* choices) {
        const double reset = circuit_.reset[event.number], flip = circuit_.weight[event.number];
        const double all = 1 - flip + std::abs(flip), u = stream.uniform() * all;
        weight *= all;
        choices[event.number] = u < reset ? was_reset : u < reset + std::abs(flip) ? erred : nothing;
        if (choices[event.number] == erred) {
            wait(event.first, paulis[3]);
            if (flip < 0) weight = -weight;
        } else if (choices[event.number] == was_reset) {
            flush(event.first);
            double p[2] = {0, 0};
            for (std::size_t plane = 0; plane < 2; ++plane)
                for (std::size_t i = 0; i < n_; ++i) {
                    const double amplitude = psi()[plane * n_ + i];
                    p[i >> event.first & 1] += amplitude * amplitude;
                }
            const bool up = stream.uniform() * (p[0] + p[1]) < p[1];
            const double scale = 1 / std::sqrt(p[up]);
            wait(event.first, up ? One{0, scale, 0, 0} : One{scale, 0, 0, 0});
        }
    }

    void measure(double* values) {
        double norm = 0;
        for (std::size_t i = 0; i < 2 * n_; ++i) norm += psi()[i] * psi()[i];
        for (const Factors& one : circuit_.products) *values++ = value(one) / norm;
    }

    // <psi| of a product |psi>, times the norm.
    double value(const Factors& one) const {
        bool diagonal = true;
        for (std::size_t k = one.begin; k < one.end; ++k)
            diagonal &= circuit_.factor[4 * k + 1] == 0 && circuit_.factor[4 * k + 2] == 0;
        double total = 0;
        if (diagonal) {
            for (std::size_t i = 0; i < n_; ++i) other()[i] = psi()[i] * psi()[i] + psi()[n_ + i] * psi()[n_ + i];
            for (std::size_t k = one.begin; k < one.end; ++k) {
                const double* f = circuit_.factor.data() + 4 * k;
                const std::size_t stride = std::size_t{1} << circuit_.qubit[k];
                const double both[2] = {f[0] + f[3], f[0] - f[3]};
                for (std::size_t i = 0; i < n_; i += stride)
                    for (std::size_t j = i; j < i + stride; ++j) other()[j] *= both[(i & stride) != 0];
            }
            for (std::size_t i = 0; i < n_; ++i) total += other()[i];
            return total;
        }
        std::memcpy(other(), psi(), 2 * n_ * sizeof(double));
        for (std::size_t k = one.begin; k < one.end; ++k) {
            const double* f = circuit_.factor.data() + 4 * k;
            apply(circuit_.qubit[k], {f[0] + f[3], Complex(f[1], -f[2]), Complex(f[1], f[2]), f[0] - f[3]}, other());
        }
        for (std::size_t i = 0; i < 2 * n_; ++i) total += psi()[i] * other()[i];
        return total;
    }

    const NoisyCircuit& circuit_;
    const Kernels<double>& kernels_;
    std::size_t n_;
    Memory psi_, other_;
    std::vector<One> waiting_;
    std::array<bool, 64> waits_{};
};

}  // namespace

void trajectories(const NoisyCircuit& circuit, std::uint64_t seed, std::uint64_t first, std::size_t count,
                  const Drawn& drawn, const Kernels<double>& kernels, Pool& pool, Watch& watch) {
    std::vector<State> states;
    for (int worker = 0; worker < pool.workers(); ++worker) states.emplace_back(circuit, kernels);
    const std::size_t n_places = circuit.weight.size(), n_values = circuit.products.size();
    pool.run(count, [&](std::size_t k, int worker) {
        Stream stream(seed, first + k);
        states[worker].run(stream, drawn.values + k * n_values, drawn.weights[k],
                           drawn.choices + k * n_places);
    }, watch);
}

}  // namespace native
