#include "program.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "memory.hpp"
#include "spread.hpp"

namespace native {
namespace {

constexpr std::size_t most_chunks = 64;  // of a pass, the same for any number of workers

// What is left of the phase of a string, beside signs by index and whether it is real.
int sign_of(const Pauli& string) { return string.phase == 0 || string.phase == 3 ? 1 : -1; }

View view_of(const Pass& pass) {
    return {.row_bits = pass.row_bits,
            .block = pass.block.data(),
            .flip = pass.flip.data(),
            .syndrome = pass.syndrome.data(),
            .operations = pass.operations.data(),
            .sweeps = pass.sweeps.data(),
            .layers = pass.layers.data(),
            .steps = pass.steps.data(),
            .diagonals = pass.diagonals.data(),
            .n_operations = static_cast<std::int32_t>(pass.operations.size()),
            .n_steps = static_cast<std::int32_t>(pass.steps.size()),
            .n_diagonals = static_cast<std::int32_t>(pass.diagonals.size()),
            .zeros = !pass.checks.empty()};
}

Place place_of(const Pass& pass, std::uint64_t tile) {
    Place place{pass.base(tile), 0};
    for (std::size_t k = 0; k < pass.checks.size(); ++k)
        place.syndrome |= std::uint32_t{odd(pass.checks[k] & place.base)} << k;
    return place;
}

// Call `work(place, next place, chunk, worker)` for the tiles of a pass. A chunk holds the same tiles for any number of
// workers.
template <class TileWork>
void for_tiles(const Pass& pass, const Crew& crew, const TileWork& work) {
    const std::uint64_t tiles = pass.tiles(), chunks = std::min<std::uint64_t>(tiles, most_chunks);
    crew.run(chunks, [&](std::size_t chunk, int worker) {
        const std::uint64_t end = (chunk + 1) * tiles / chunks;
        Place place = place_of(pass, chunk * tiles / chunks);
        for (std::uint64_t tile = chunk * tiles / chunks; tile < end; ++tile) {
            const Place next = place_of(pass, std::min(tile + 1, tiles - 1));
            work(place, next, chunk, worker);
            place = next;
        }
    });
}

template <class Real>
Shape shape_of(const Kernels<Real>& kernels, int block_bits, std::size_t tile_bytes, int layer_least, int cross_least) {
    return {.lane_bits = kernels.lane_bits,
            .tile_bits = static_cast<int>(std::bit_width(tile_bytes / (2 * sizeof(Real)))) - 1,
            .block_bits = block_bits,
            .layer_least = layer_least,
            .cross_least = cross_least};
}

constexpr std::size_t tile_bytes = 1 << 16;

}  // namespace

// Numbers and memory for one row of angles in work.
template <class Real>
struct Program<Real>::Workspace {
    // Of each rotation, without its quarter turns: these are collected in a string that acts after all rotations, and
    // change the sign of those later ones that do not commute with it.
    std::vector<double> angle;
    std::vector<int> sign;
    Pauli quarters;

    std::vector<Memory> states;   // psi, lambda, a copy of psi
    std::vector<Memory> scratch;  // of each worker
    std::vector<Real> vectors;    // coefficients of steps
    Real* coefficients = nullptr;
    std::vector<double> diagonals;
    std::vector<double> sums;  // of each chunk

    Real* psi() const { return states[0].template as<Real>(); }
    Real* lambda() const { return states[1].template as<Real>(); }

    Real* reserve(std::size_t n) {
        constexpr std::size_t line = 64 / sizeof(Real);
        if (vectors.size() < n + line) vectors.resize(n + line);
        const auto at = reinterpret_cast<std::uintptr_t>(vectors.data());
        return vectors.data() + (-at % 64) / sizeof(Real);
    }
};

template <class Real>
Program<Real>::Program(int n_qubits, std::vector<Rotation> rotations, std::size_t n_angles,
                       std::vector<std::vector<Term>> observables, const Kernels<Real>& kernels)
    : n_qubits_(n_qubits),
      n_bits_(std::max(n_qubits, kernels.lane_bits + std::max({kernels.rotate_bits, kernels.adjoint_bits,
                                                               kernels.observe_bits}))),
      n_angles_(n_angles), rotations_(std::move(rotations)), observables_(std::move(observables)), kernels_(kernels) {
    const Spread spread(n_bits_, kernels_.lane_bits);
    for (Rotation& rotation : rotations_) rotation.string = spread.string(rotation.string);
    for (auto& terms : observables_)
        for (Term& term : terms) term.string = spread.string(term.string);
    forward_ = rotation_passes(rotations_, n_bits_, shape_of(kernels_, kernels_.rotate_bits, tile_bytes, 8, 40), false,
                               true);
    for (const auto& terms : observables_)
        observe_.push_back(term_passes(terms, n_bits_, shape_of(kernels_, kernels_.observe_bits, tile_bytes, 4, 4)));
}

template <class Real>
const std::vector<Pass>& Program<Real>::undo_passes() const {
    std::call_once(undo_planned_, [this] {
        undo_ = rotation_passes(rotations_, n_bits_, shape_of(kernels_, kernels_.adjoint_bits, tile_bytes, 5, 12), true,
                                true);
    });
    return undo_;
}

template <class Real>
int Program<Real>::states(bool slopes) const {
    return !slopes ? 1 : observables_.size() > 1 ? 3 : 2;
}

template <class Real>
auto Program<Real>::workspace(int workers, int n_states) const -> Workspace {
    Workspace space;
    for (int k = 0; k < n_states; ++k) space.states.emplace_back((sizeof(Real) * 2) << n_bits_);
    int row_bits = 0;
    const auto widen = [&](const std::vector<Pass>& passes) {
        for (const Pass& pass : passes) row_bits = std::max(row_bits, pass.row_bits);
    };
    widen(forward_);
    for (const auto& passes : observe_) widen(passes);
    if (n_states > 1) widen(undo_passes());
    for (int k = 0; k < workers; ++k) space.scratch.emplace_back(kernels_.scratch_bytes(row_bits, 2));
    return space;
}

template <class Real>
void Program<Real>::bind(const double* angles, Workspace& space) const {
    const std::size_t n = rotations_.size();
    space.angle.resize(n);
    space.sign.resize(n);
    space.quarters = {};
    for (std::size_t k = 0; k < n; ++k) {
        const Rotation& rotation = rotations_[k];
        const double whole = rotation.weight * angles[rotation.angle];
        const double quarters = std::nearbyint(whole * (2 / std::numbers::pi));
        space.sign[k] = rotation.string.commutes(space.quarters) ? 1 : -1;
        space.angle[k] = whole - quarters * (std::numbers::pi / 2);
        if (std::fmod(quarters, 2) != 0) {
            space.quarters.x ^= rotation.string.x;
            space.quarters.z ^= rotation.string.z;
        }
    }
}

template <class Real>
void Program<Real>::forward(Workspace& space, const Crew& crew) const {
    Real* psi = space.psi();
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    // Passes write all that they may have reached: if that is every row, only the first must be there before.
    const std::uint64_t n_rows = std::uint64_t{1} << (n_bits_ - kernels_.lane_bits);
    const std::uint64_t reached = forward_.empty() ? 0 : forward_.back().tiles() << forward_.back().row_bits;
    std::memset(psi, 0, 2 * vector * sizeof(Real) * (reached == n_rows ? 1 : n_rows));
    psi[0] = 1;
    for (const Pass& pass : forward_) {
        Real* coefficients = space.reserve(3 * vector * pass.steps.size());
        double scale = 1;
        for (std::size_t k = 0; k < pass.steps.size(); ++k) {
            const Step& step = pass.steps[k];
            const int sign = space.sign[step.index] * sign_of(rotations_[step.index].string);
            kernels_.coefficients(coefficients + 3 * vector * k, sign * std::tan(space.angle[step.index]), step.z);
            scale *= std::cos(space.angle[step.index]);
        }
        space.diagonals.resize(pass.diagonals.size());
        for (std::size_t k = 0; k < pass.diagonals.size(); ++k) {
            const int index = pass.diagonals[k].index;
            space.diagonals[k] = space.sign[index] * sign_of(rotations_[index].string) * space.angle[index];
        }
        const View view = view_of(pass);
        for_tiles(pass, crew, [&](const Place& place, const Place& next, std::size_t, int worker) {
            kernels_.rotate(view, place, next, coefficients, space.diagonals.data(), static_cast<Real>(scale), psi,
                            space.scratch[worker].template as<void>());
        });
    }
}

template <class Real>
double Program<Real>::observe(std::size_t observable, bool store, Workspace& space, const Crew& crew) const {
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    const std::vector<Term>& terms = observables_[observable];
    const auto weight = [&](int index) {
        const Term& term = terms[index];
        return (term.string.commutes(space.quarters) ? 1 : -1) * sign_of(term.string) * term.coefficient;
    };
    double total = 0;
    bool add = false;
    for (const Pass& pass : observe_[observable]) {
        Real* coefficients = space.reserve(3 * vector * pass.steps.size());
        for (std::size_t k = 0; k < pass.steps.size(); ++k)
            kernels_.coefficients(coefficients + 3 * vector * k, weight(pass.steps[k].index), pass.steps[k].z);
        space.diagonals.resize(pass.diagonals.size());
        for (std::size_t k = 0; k < pass.diagonals.size(); ++k) space.diagonals[k] = weight(pass.diagonals[k].index);
        space.sums.assign(most_chunks, 0);
        const View view = view_of(pass);
        for_tiles(pass, crew, [&](const Place& place, const Place& next, std::size_t chunk, int worker) {
            space.sums[chunk] +=
                kernels_.observe(view, place, next, coefficients, space.diagonals.data(), space.psi(),
                                 store ? space.lambda() : nullptr, add, space.scratch[worker].template as<void>());
        });
        for (const double sum : space.sums) total += sum;
        add = true;
    }
    if (store && !add) std::memset(space.lambda(), 0, (sizeof(Real) * 2) << n_bits_);
    return total;
}

template <class Real>
void Program<Real>::undo(Workspace& space, const Crew& crew, double* slopes) const {
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    for (const Pass& pass : undo_passes()) {
        const std::size_t n_steps = pass.steps.size(), n = n_steps + pass.diagonals.size();
        Real* coefficients = space.reserve(6 * vector * n_steps);
        double scale = 1;
        for (std::size_t k = 0; k < n_steps; ++k) {
            const Step& step = pass.steps[k];
            const int sign = space.sign[step.index] * sign_of(rotations_[step.index].string);
            kernels_.coefficients(coefficients + 6 * vector * k, -sign * std::tan(space.angle[step.index]), step.z);
            kernels_.coefficients(coefficients + 6 * vector * k + 3 * vector, sign, step.z);
            scale *= std::cos(space.angle[step.index]);
        }
        space.diagonals.resize(pass.diagonals.size());
        for (std::size_t k = 0; k < pass.diagonals.size(); ++k) {
            const int index = pass.diagonals[k].index;
            space.diagonals[k] = space.sign[index] * sign_of(rotations_[index].string) * space.angle[index];
        }
        space.sums.assign(most_chunks * n, 0);
        const double root = std::sqrt(std::abs(scale));
        const View view = view_of(pass);
        for_tiles(pass, crew, [&](const Place& place, const Place& next, std::size_t chunk, int worker) {
            kernels_.undo(view, place, next, coefficients, space.diagonals.data(), static_cast<Real>(root),
                          space.psi(), space.lambda(), space.sums.data() + chunk * n,
                          space.scratch[worker].template as<void>());
        });
        // Both states are short by the same factor, which each step that was undone makes longer.
        std::vector<double> factor(n, 0);
        double now = root * root;
        for (const Operation& operation : pass.operations) {
            if (operation.kind == Operation::layer) {
                const Layer& layer = pass.layers[operation.number];
                for (int k = layer.begin; k < layer.end; ++k) factor[n_steps + k] = 2 / now;
                continue;
            }
            const Sweep& sweep = pass.sweeps[operation.number];
            for (int k = sweep.begin; k < sweep.end; ++k) {
                factor[k] = 2 / now;
                const double cosine = std::cos(space.angle[pass.steps[k].index]);
                now /= cosine * cosine;
            }
        }
        for (std::size_t k = 0; k < n; ++k) {
            double sum = 0;
            for (std::size_t chunk = 0; chunk < most_chunks; ++chunk) sum += space.sums[chunk * n + k];
            const int index = k < n_steps ? pass.steps[k].index : pass.diagonals[k - n_steps].index;
            const Rotation& rotation = rotations_[index];
            const int sign = k < n_steps ? 1 : space.sign[index] * sign_of(rotation.string);
            slopes[rotation.angle] += sign * factor[k] * rotation.weight * sum;
        }
    }
}

template <class Real>
void Program<Real>::row(const double* angles, double* values, double* slopes, Workspace& space,
                        const Crew& crew) const {
    bind(angles, space);
    forward(space, crew);
    const std::size_t n = observables_.size(), bytes = (sizeof(Real) * 2) << n_bits_;
    if (slopes) std::fill_n(slopes, n * n_angles_, 0.0);
    for (std::size_t k = 0; k < n; ++k) {
        if (slopes && n > 1) {  // undoing an observable's slopes takes the state back to |0...0>
            const Memory &from = space.states[k ? 2 : 0], &to = space.states[k ? 0 : 2];
            std::memcpy(to.as<void>(), from.as<void>(), bytes);
        }
        values[k] = observe(k, slopes != nullptr, space, crew);
        if (slopes) undo(space, crew, slopes + k * n_angles_);
    }
}

template <class Real>
void Program<Real>::energies(const double* angles, std::size_t rows, double* values, double* slopes, Pool& pool,
                             Watch& watch) const {
    const std::size_t n = observables_.size();
    const bool small = n_bits_ < 16;
    if (rows > 1 && small && pool.workers() > 1) {
        std::vector<Workspace> spaces;
        for (int worker = 0; worker < pool.workers(); ++worker) spaces.push_back(workspace(1, states(slopes)));
        const auto one = [&](std::size_t k, int worker) {
            Watch unwatched;
            row(angles + k * n_angles_, values + k * n, slopes ? slopes + k * n * n_angles_ : nullptr, spaces[worker],
                Crew{nullptr, unwatched});
        };
        return pool.run(rows, one, watch);
    }
    Workspace space = workspace(pool.workers(), states(slopes));
    for (std::size_t k = 0; k < rows; ++k)
        row(angles + k * n_angles_, values + k * n, slopes ? slopes + k * n * n_angles_ : nullptr, space,
            Crew{&pool, watch});
}

template <class Real>
template <class Copy>
void Program<Real>::for_amplitudes(const Workspace& space, Pool& pool, Watch& watch, const Copy& copy) const {
    const Spread spread(n_bits_, kernels_.lane_bits);
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    const Pauli frame = space.quarters;
    const std::size_t n = std::size_t{1} << n_qubits_, chunks = std::clamp<std::size_t>(n >> 12, 1, most_chunks);
    const auto some = [&](std::size_t chunk, int) {
        for (std::size_t i = chunk * n / chunks; i < (chunk + 1) * n / chunks; ++i) {
            const Mask from = spread.index(i) ^ frame.x;
            const Real sign = odd(from & frame.z) ? -1 : 1;
            copy(i, (from / vector) * 2 * vector + from % vector, sign);
        }
    };
    pool.run(chunks, some, watch);
}

template <class Real>
void Program<Real>::state(const double* angles, std::complex<Real>* amplitudes, Pool& pool, Watch& watch) const {
    Workspace space = workspace(pool.workers(), 1);
    bind(angles, space);
    forward(space, {&pool, watch});
    const Real* psi = space.psi();
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    for_amplitudes(space, pool, watch, [&](std::size_t i, std::size_t at, Real sign) {
        amplitudes[i] = {sign * psi[at], sign * psi[at + vector]};
    });
}

template <class Real>
void Program<Real>::slopes(const double* angles, const std::complex<Real>* psi, const std::complex<Real>* lambda,
                           double* slopes, Pool& pool, Watch& watch) const {
    Workspace space = workspace(pool.workers(), 2);
    bind(angles, space);
    const std::size_t vector = std::size_t{1} << kernels_.lane_bits;
    const std::complex<Real>* given[] = {psi, lambda};
    for (int k = 0; k < 2; ++k) {
        Real* state = space.states[k].template as<Real>();
        if (n_bits_ > n_qubits_) std::memset(state, 0, (sizeof(Real) * 2) << n_bits_);
        for_amplitudes(space, pool, watch, [&](std::size_t i, std::size_t at, Real sign) {
            state[at] = sign * given[k][i].real();
            state[at + vector] = sign * given[k][i].imag();
        });
    }
    std::fill_n(slopes, n_angles_, 0.0);
    undo(space, {&pool, watch}, slopes);
}

template <class Real>
Counts Program<Real>::counts(bool undone) const {
    Counts counts{};
    for (const Pass& pass : undone ? undo_passes() : forward_) counts.add(pass);
    return counts;
}

template <class Real>
Counts Program<Real>::observed() const {
    Counts counts{};
    for (const auto& passes : observe_)
        for (const Pass& pass : passes) counts.add(pass);
    return counts;
}

template class Program<double>;
template class Program<float>;

}  // namespace native
