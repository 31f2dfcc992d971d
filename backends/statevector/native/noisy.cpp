#include "noisy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "channels.hpp"
#include "memory.hpp"

namespace native {
namespace {

template <int d>
struct Square {
    std::array<double, d * d> numbers;  // by rows

    double& operator[](std::size_t k) { return numbers[k]; }
    const double& operator[](std::size_t k) const { return numbers[k]; }
};
using One = Square<4>;
using Two = Square<16>;

template <int d>
Square<d> identity() {
    Square<d> found{};
    for (int k = 0; k < d; ++k) found[(d + 1) * k] = 1;
    return found;
}

template <int d>
Square<d> operator*(const Square<d>& left, const Square<d>& right) {
    Square<d> found{};
    for (int i = 0; i < d; ++i)
        for (int k = 0; k < d; ++k)
            for (int j = 0; j < d; ++j) found[d * i + j] += left[d * i + k] * right[d * k + j];
    return found;
}

template <int d>
Square<d> transposed(const Square<d>& of) {
    Square<d> found;
    for (int i = 0; i < d; ++i)
        for (int j = 0; j < d; ++j) found[d * j + i] = of[d * i + j];
    return found;
}

template <int d>
void add(Square<d>& to, const Square<d>& what) {
    for (int k = 0; k < d * d; ++k) to[k] += what[k];
}

Two pair(const One& upper, const One& lower) {
    Two found;
    for (int a = 0; a < 4; ++a)
        for (int c = 0; c < 4; ++c)
            for (int b = 0; b < 4; ++b)
                for (int e = 0; e < 4; ++e) found[16 * (4 * a + c) + 4 * b + e] = upper[4 * a + b] * lower[4 * c + e];
    return found;
}

// Slopes by both of a pair, from those by the pair.
void pulled(const Two& slopes, const One& upper, const One& lower, One& by_upper, One& by_lower) {
    for (int a = 0; a < 4; ++a)
        for (int c = 0; c < 4; ++c)
            for (int b = 0; b < 4; ++b)
                for (int e = 0; e < 4; ++e) {
                    const double slope = slopes[16 * (4 * a + c) + 4 * b + e];
                    by_upper[4 * a + b] += slope * lower[4 * c + e];
                    by_lower[4 * c + e] += slope * upper[4 * a + b];
                }
}

// A + cos(alpha) B + sin(alpha) C of gate k of n; the parts of all gates follow each other.
template <int d>
Square<d> turned(const std::vector<double>& parts, std::size_t k, std::size_t n, double alpha) {
    const double c = std::cos(alpha), s = std::sin(alpha);
    const double* a = parts.data() + d * d * k;
    Square<d> found;
    for (int i = 0; i < d * d; ++i) found[i] = a[i] + c * a[d * d * n + i] + s * a[2 * d * d * n + i];
    return found;
}

template <int d>
double slope_of(const std::vector<double>& parts, std::size_t k, std::size_t n, double alpha, const Square<d>& by) {
    const double c = std::cos(alpha), s = std::sin(alpha);
    const double* a = parts.data() + d * d * k;
    double found = 0;
    for (int i = 0; i < d * d; ++i) found += by[i] * (c * a[2 * d * d * n + i] - s * a[d * d * n + i]);
    return found;
}

// A channel on one qubit from its three numbers, and their slopes from those by its matrix.
One channel_of(const double* numbers) {
    One found{};
    found[0] = 1;
    found[5] = found[10] = numbers[0];
    found[15] = numbers[1];
    found[12] = numbers[2];
    return found;
}

void pulled(const One& by, double* slopes) {
    slopes[0] += by[5] + by[10];
    slopes[1] += by[15];
    slopes[2] += by[12];
}

// A product of matrices, the first to act first.
template <int d>
Square<d> product(const std::vector<std::int32_t>& places, const std::vector<Square<d>>& of) {
    if (places.empty()) return identity<d>();
    Square<d> found = of[places[0]];
    for (std::size_t k = 1; k < places.size(); ++k) found = of[places[k]] * found;
    return found;
}

// Adds the slopes by its factors, from those by the product.
template <int d>
void pulled(const std::vector<std::int32_t>& places, const std::vector<Square<d>>& of, Square<d> by,
            std::vector<Square<d>>& slopes) {
    if (places.empty()) return;
    std::vector<Square<d>> before;
    for (std::size_t k = 0; k + 1 < places.size(); ++k)
        before.push_back(k ? of[places[k]] * before.back() : of[places[k]]);
    for (std::size_t k = places.size(); k-- > 1;) {
        add(slopes[places[k]], by * transposed(before[k - 1]));
        by = transposed(of[places[k]]) * by;
    }
    add(slopes[places[0]], by);
}

// All matrices of a circuit at one row of inputs.
class Matrices {
public:
    Matrices(const NoisySteps& of, const double* inputs)
        : of_(of), alpha_(inputs), one_(inputs + of.n_alpha), two_(one_ + 3 * of.n_channels),
          told_(two_ + 7 * of.n_edges) {
        for (std::size_t k = 0; k < of.n_ones(); ++k)
            items_.push_back(turned<4>(of.ones, k, of.n_ones(), alpha_[of.ones_angle[k]]));
        for (std::size_t k = 0; k < of.n_channels; ++k) items_.push_back(channel_of(one_ + 3 * k));
        for (const auto& places : of.chains) chains_.push_back(product<4>(places, items_));
        for (std::size_t q = 0; q < of.n_measured; ++q) {
            One rows{};
            rows[0] = 1;
            for (int letter = 1; letter < 4; ++letter) {
                const One& chain = chains_[of.bases[3 * q + letter - 1]];
                for (int j = 0; j < 4; ++j)
                    rows[4 * letter + j] = told_[2 * q] * chain[j] + told_[2 * q + 1] * chain[12 + j];
            }
            measured_.push_back(rows);
        }
        measured_.push_back(identity<4>());
        for (std::size_t k = 0; k < of.n_twos(); ++k)
            gates_.push_back(turned<16>(of.twos, k, of.n_twos(), alpha_[of.twos_angle[k]]));
        for (std::size_t k = 0; k < of.segments.size() / 6; ++k) {
            const Parts parts(*this, k);
            segments_.push_back(parts.behind() * parts.before());
        }
        for (const auto& places : of.blocks) {
            const Two step = product<16>(places, segments_);
            steps_.insert(steps_.end(), step.numbers.begin(), step.numbers.end());
        }
    }

    Channels channels() const {
        return {of_.n_qubits, of_.blocks.size(), steps_.data(), of_.pairs.data()};
    }

    // Slopes by all inputs from those by the steps.
    void pull_back(const std::vector<double>& by_steps, double* slopes) const {
        double *by_alpha = slopes, *by_one = by_alpha + of_.n_alpha, *by_two = by_one + 3 * of_.n_channels,
               *by_told = by_two + 7 * of_.n_edges;
        std::fill(slopes, slopes + of_.n_inputs(), 0.0);
        std::vector<Two> by_segment(segments_.size(), Two{}), by_gate(gates_.size(), Two{});
        for (std::size_t k = 0; k < of_.blocks.size(); ++k) {
            Two by;
            std::copy_n(by_steps.begin() + 256 * k, 256, by.numbers.begin());
            pulled(of_.blocks[k], segments_, by, by_segment);
        }
        std::vector<One> by_chain(chains_.size(), One{}), by_item(items_.size(), One{});
        std::vector<One> by_measured(measured_.size(), One{});
        for (std::size_t k = 0; k < segments_.size(); ++k) {
            const Parts parts(*this, k);
            const Two by_before = transposed(parts.behind()) * by_segment[k];
            Two by_pair = by_before;
            if (parts.gate) {
                by_pair = transposed(*parts.gate) * by_before;
                add(by_gate[parts.row[2]], by_before * transposed(pair(parts.upper, parts.lower)));
            }
            pulled(by_pair, parts.upper, parts.lower, by_chain[parts.row[1]], by_chain[parts.row[0]]);
            if (!parts.channel && !parts.tells) continue;
            Two by_behind = by_segment[k] * transposed(parts.before());
            if (parts.channel) {
                const Two all = pair(parts.upper_behind(), parts.lower_behind());
                double* by = by_two + 7 * parts.row[3];
                for (int i = 0; i < 16; ++i)
                    for (int j = 1; j < 16; ++j) {
                        by[6] += by_behind[16 * i + j] * all[16 * i + j];
                        by_behind[16 * i + j] *= parts.channel[6];
                    }
            }
            One by_upper{}, by_lower{};
            pulled(by_behind, parts.upper_behind(), parts.lower_behind(), by_upper, by_lower);
            add(by_measured[parts.row[5]], by_upper * transposed(parts.upper_noise));
            add(by_measured[parts.row[4]], by_lower * transposed(parts.lower_noise));
            if (parts.channel) {
                double* by = by_two + 7 * parts.row[3];
                pulled(transposed(parts.upper_told) * by_upper, by);
                pulled(transposed(parts.lower_told) * by_lower, by + 3);
            }
        }
        for (std::size_t q = 0; q < of_.n_measured; ++q)
            for (int letter = 1; letter < 4; ++letter) {
                const std::int32_t place = of_.bases[3 * q + letter - 1];
                const One& chain = chains_[place];
                for (int j = 0; j < 4; ++j) {
                    const double slope = by_measured[q][4 * letter + j];
                    by_told[2 * q] += slope * chain[j];
                    by_told[2 * q + 1] += slope * chain[12 + j];
                    by_chain[place][j] += slope * told_[2 * q];
                    by_chain[place][12 + j] += slope * told_[2 * q + 1];
                }
            }
        for (std::size_t k = 0; k < chains_.size(); ++k) pulled(of_.chains[k], items_, by_chain[k], by_item);
        for (std::size_t k = 0; k < of_.n_ones(); ++k)
            by_alpha[of_.ones_angle[k]] +=
                slope_of(of_.ones, k, of_.n_ones(), alpha_[of_.ones_angle[k]], by_item[k]);
        for (std::size_t k = 0; k < of_.n_twos(); ++k)
            by_alpha[of_.twos_angle[k]] +=
                slope_of(of_.twos, k, of_.n_twos(), alpha_[of_.twos_angle[k]], by_gate[k]);
        for (std::size_t k = 0; k < of_.n_channels; ++k) pulled(by_item[of_.n_ones() + k], by_one + 3 * k);
    }

private:
    // A segment is (measurement noise depolarizing) (gate chains).
    struct Parts {
        const std::int32_t* row;
        const One &lower, &upper, &lower_told, &upper_told;
        const Two* gate;        // or the identity, if there is none
        const double* channel;  // and noise
        One upper_noise = identity<4>(), lower_noise = identity<4>();
        bool tells;

        Parts(const Matrices& of, std::size_t k)
            : row(of.of_.segments.data() + 6 * k), lower(of.chains_[row[0]]), upper(of.chains_[row[1]]),
              lower_told(of.measured_[row[4]]), upper_told(of.measured_[row[5]]),
              gate(static_cast<std::size_t>(row[2]) < of.gates_.size() ? &of.gates_[row[2]] : nullptr),
              channel(static_cast<std::size_t>(row[3]) < of.of_.n_edges ? of.two_ + 7 * row[3] : nullptr),
              tells(static_cast<std::size_t>(std::min(row[4], row[5])) < of.of_.n_measured) {
            if (!channel) return;
            upper_noise = channel_of(channel);
            lower_noise = channel_of(channel + 3);
        }

        One upper_behind() const { return upper_told * upper_noise; }
        One lower_behind() const { return lower_told * lower_noise; }

        Two behind() const {
            Two found = pair(upper_behind(), lower_behind());
            for (int i = 0; channel && i < 16; ++i)
                for (int j = 1; j < 16; ++j) found[16 * i + j] *= channel[6];
            return found;
        }

        Two before() const { return gate ? *gate * pair(upper, lower) : pair(upper, lower); }
    };

    const NoisySteps& of_;
    const double *alpha_, *one_, *two_, *told_;
    std::vector<One> items_, chains_, measured_;
    std::vector<Two> gates_, segments_;
    std::vector<double> steps_;
};

double sum(const std::vector<Told>& terms, const double* told) {
    double found = 0;
    for (const Told& term : terms) found += term.coefficient * told[term.place];
    return found;
}

}  // namespace

void Noisy::energies(const double* inputs, std::size_t rows, double* values, double* slopes, Pool& pool,
                     Watch& watch) const {
    const std::size_t n = n_angles(), size = std::size_t{1} << 2 * made_of_.n_qubits;
    const Memory told(size * sizeof(double));
    std::vector<double> by_steps(made_of_.blocks.size() * 256);
    for (std::size_t row = 0; row < rows; ++row) {
        const Matrices matrices(made_of_, inputs + n * row);
        const Channels channels = matrices.channels();
        if (!slopes) evolve(channels, told.as<double>(), kernels_, pool, watch);
        for (std::size_t k = 0; k < n_observables(); ++k, ++values) {
            if (!slopes) {
                *values = sum(observables_[k], told.as<double>());
                continue;
            }
            std::fill_n(told.as<double>(), size, 0.0);
            for (const Told& term : observables_[k]) told.as<double>()[term.place] += term.coefficient;
            native::pull_back(channels, told.as<double>(), every_, by_steps.data(), kernels_, pool, watch);
            *values = 0;  // which is linear in the last step
            const double* last = channels.steps + 256 * (channels.n_steps - 1);
            for (int i = 0; i < 256; ++i) *values += by_steps[by_steps.size() - 256 + i] * last[i];
            matrices.pull_back(by_steps, slopes);
            slopes += n;
        }
    }
}

}  // namespace native
