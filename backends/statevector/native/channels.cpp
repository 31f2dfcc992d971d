#include "channels.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "groups_of.hpp"
#include "memory.hpp"

namespace native {
namespace {

constexpr std::size_t size = 256;  // numbers of a matrix

Group group_of(const Channels& channels, std::size_t step) {
    const int low = channels.pairs[2 * step], high = channels.pairs[2 * step + 1];
    return group_of_bits(2 * channels.n_qubits, {2 * low, 2 * low + 1, 2 * high, 2 * high + 1});
}

struct Run {
    const Channels& channels;
    const Kernels<double>& kernels;
    Pool& pool;
    Watch& watch;

    std::size_t n_values() const { return std::size_t{1} << 2 * channels.n_qubits; }

    void share(std::size_t chunks, const Work& work) const {
        if (chunks > 1)
            pool.run(chunks, work, watch);
        else
            Pool::run_alone(chunks, work, watch);
    }

    void multiply(std::size_t step, const double* matrix, double* values) const {
        const Group group = group_of(channels, step);
        const Chunks chunks(group, kernels.lane_bits);
        share(chunks.count, [&](std::size_t chunk, int) {
            kernels.multiply(group, matrix, values, chunks.begin(chunk), chunks.end(chunk));
        });
    }

    void forward(std::size_t step, double* values) const { multiply(step, channels.steps + size * step, values); }

    void backward(std::size_t step, const double* before, double* slopes, double* derivative) const {
        const Group group = group_of(channels, step);
        const Chunks chunks(group, kernels.lane_bits);
        std::vector<double> sums(chunks.count * size);
        share(chunks.count, [&](std::size_t chunk, int) {
            kernels.outer(group, slopes, before, sums.data() + size * chunk, chunks.begin(chunk), chunks.end(chunk));
        });
        std::fill(derivative, derivative + size, 0.0);
        for (std::size_t chunk = 0; chunk < chunks.count; ++chunk)  // in this order on any number of threads
            for (std::size_t k = 0; k < size; ++k) derivative[k] += sums[size * chunk + k];
        double transposed[size];
        for (int i = 0; i < 16; ++i)
            for (int j = 0; j < 16; ++j) transposed[16 * j + i] = channels.steps[size * step + 16 * i + j];
        multiply(step, transposed, slopes);
    }
};

// |0...0>: 1 for strings of I and Z.
void begin(int n_qubits, double* values) {
    std::fill(values, values + (std::size_t{1} << 2 * n_qubits), 0.0);
    for (std::size_t bits = 0; bits < std::size_t{1} << n_qubits; ++bits) {
        std::size_t place = 0;
        for (int q = 0; q < n_qubits; ++q) place |= (bits >> q & 1) * (std::size_t{3} << 2 * q);
        values[place] = 1;
    }
}

}  // namespace

void evolve(const Channels& channels, double* values, const Kernels<double>& kernels, Pool& pool, Watch& watch) {
    const Run run{channels, kernels, pool, watch};
    begin(channels.n_qubits, values);
    for (std::size_t step = 0; step < channels.n_steps; ++step) run.forward(step, values);
}

void pull_back(const Channels& channels, const double* slopes, std::size_t every, double* derivatives,
               const Kernels<double>& kernels, Pool& pool, Watch& watch) {
    if (!channels.n_steps) return;
    const Run run{channels, kernels, pool, watch};
    const std::size_t bytes = run.n_values() * sizeof(double);
    const auto copy = [&](const Memory& from, const Memory& to) {
        std::memcpy(to.as<double>(), from.as<double>(), bytes);
    };
    std::vector<Memory> kept;
    Memory values(bytes), lambda(bytes);
    begin(channels.n_qubits, values.as<double>());
    const std::size_t last = (channels.n_steps - 1) / every * every;
    for (std::size_t step = 0; step < last; ++step) {
        if (step % every == 0) copy(values, kept.emplace_back(bytes));
        run.forward(step, values.as<double>());
    }
    std::memcpy(lambda.as<double>(), slopes, bytes);
    std::vector<Memory> between;
    for (std::size_t from = last;; from -= every) {
        const std::size_t to = std::min(from + every, channels.n_steps);
        if (from != last) copy(kept[from / every], values);
        for (std::size_t step = from; step < to; ++step) {
            if (between.size() <= step - from) between.emplace_back(bytes);
            copy(values, between[step - from]);
            if (step + 1 < to) run.forward(step, values.as<double>());
        }
        for (std::size_t step = to; step-- > from;)
            run.backward(step, between[step - from].as<double>(), lambda.as<double>(), derivatives + size * step);
        if (!from) return;
    }
}

}  // namespace native
