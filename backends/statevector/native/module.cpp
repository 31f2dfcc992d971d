// The Python module.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <complex>
#include <limits>
#include <stdexcept>

#include "channels.hpp"
#include "evaluators.hpp"
#include "foreign.hpp"
#include "isa.hpp"
#include "memory.hpp"
#include "noisy.hpp"
#include "program.hpp"
#include "propagation.hpp"
#include "rates.hpp"
#include "trajectories.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace native;

namespace {

template <class T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<nb::numpy, T>;

template <class T, std::size_t N>
Array<T> array(const std::size_t (&shape)[N]) {
    std::size_t bytes = sizeof(T);
    for (const std::size_t n : shape)
        if (__builtin_mul_overflow(bytes, n, &bytes)) throw OutOfMemory(std::numeric_limits<std::size_t>::max());
    Memory memory(bytes);
    T* data = memory.as<T>();
    nb::capsule owner(data, [](void* p) noexcept { std::free(p); });
    memory.release();
    return Array<T>(data, N, shape, owner);
}

void require(bool holds, const std::string& message) {
    if (!holds) throw std::invalid_argument(message);
}

template <class A, class B>
void require_same(const char* a, const A& first, const char* b, const B& second) {
    require(first.shape(0) == second.shape(0), std::string(a) + " and " + b + " must have the same length, they have " +
                                                   std::to_string(first.shape(0)) + " and " +
                                                   std::to_string(second.shape(0)));
}

bool signalled() {
    const nb::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

// Call `work(pool, watch)` without Python's lock; an exception of a signal's handler ends it.
template <class Work>
void compute(int workers, const Work& work) {
    require(workers >= 0, "workers must be positive, or 0 for the default; it is " + std::to_string(workers));
    try {
        const nb::gil_scoped_release release;
        Watch watch(signalled);
        work(Pool::shared(workers ? workers : Pool::default_workers()), watch);
    } catch (const Interrupted&) {
        throw nb::python_error();
    }
}

Pauli string_of(std::uint64_t x, std::uint64_t z, int n_qubits) {
    require(!((x | z) >> n_qubits), "a mask has a bit that none of the " + std::to_string(n_qubits) + " qubits has");
    return Pauli::string(x, z);
}

// A sum of Pauli strings, as masks.
struct Observable {
    std::vector<std::uint64_t> x, z;
    std::vector<double> coefficient;

    std::vector<Term> terms(int n_qubits) const {
        std::vector<Term> all;
        for (std::size_t k = 0; k < x.size(); ++k) all.push_back({string_of(x[k], z[k], n_qubits), coefficient[k]});
        return all;
    }
};

void define_observable(nb::module_& m) {
    nb::class_<Observable>(m, "Observable")
        .def(
            "__init__",
            [](Observable* self, Vector<std::uint64_t> x, Vector<std::uint64_t> z, Vector<double> coefficient) {
                require_same("x", x, "z", z);
                require_same("x", x, "coefficient", coefficient);
                new (self) Observable{{x.data(), x.data() + x.size()},
                                      {z.data(), z.data() + z.size()},
                                      {coefficient.data(), coefficient.data() + coefficient.size()}};
            },
            "x"_a, "z"_a, "coefficient"_a);
}

// A program as Python holds it.
template <class Real>
struct Held {
    std::shared_ptr<const Program<Real>> program;
    std::string isa;
    std::int64_t number;

    const double* checked(const Matrix<double>& angles) const {
        require(angles.shape(1) == program->n_angles(), "angles must have " + std::to_string(program->n_angles()) +
                                                            " columns, they have " + std::to_string(angles.shape(1)));
        return angles.data();
    }
};

template <class Real>
void construct(Held<Real>* self, int n_qubits, const Vector<std::uint64_t>& x, const Vector<std::uint64_t>& z,
               const Vector<std::int32_t>& angle, const Vector<double>& weight, std::size_t n_angles,
               const std::vector<Observable>& observables, const std::string& isa) {
    require(n_qubits >= 1 && n_qubits <= most_qubits,
            "n_qubits must be 1 to " + std::to_string(most_qubits) + ", it is " + std::to_string(n_qubits));
    require_same("x", x, "z", z);
    require_same("x", x, "angle", angle);
    require_same("x", x, "weight", weight);
    const InstructionSet set = instruction_set(isa);
    std::vector<Rotation> rotations;
    for (std::size_t k = 0; k < x.size(); ++k) {
        require(angle(k) >= 0 && static_cast<std::size_t>(angle(k)) < n_angles,
                "angle must be 0 to " + std::to_string(n_angles) + " - 1, it is " + std::to_string(angle(k)));
        rotations.push_back({string_of(x(k), z(k), n_qubits), angle(k), weight(k)});
    }
    std::vector<std::vector<Term>> terms;
    for (const Observable& one : observables) terms.push_back(one.terms(n_qubits));
    std::shared_ptr<const Program<Real>> program;
    {
        const nb::gil_scoped_release release;
        program = std::make_shared<Program<Real>>(n_qubits, std::move(rotations), n_angles, std::move(terms),
                                                  set.kernels<Real>());
    }
    new (self) Held<Real>{program, set.name, enter(program)};
}

nb::tuple tuple_of(const Counts& c) { return nb::make_tuple(c.passes, c.sweeps, c.layers, c.steps, c.diagonals); }

template <class Real>
void define_program(nb::module_& m, const char* name) {
    using H = Held<Real>;
    nb::class_<H>(m, name)
        .def("__init__", &construct<Real>, "n_qubits"_a, "x"_a, "z"_a, "angle"_a, "weight"_a, "n_angles"_a,
             "observables"_a, "isa"_a = "")
        .def(
            "energies",
            [](const H& self, Matrix<double> angles, int workers) {
                const double* data = self.checked(angles);
                auto values = array<double>({angles.shape(0), self.program->n_observables()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->energies(data, angles.shape(0), values.data(), nullptr, pool, watch);
                });
                return values;
            },
            "angles"_a, "workers"_a = 0)
        .def(
            "energies_and_slopes",
            [](const H& self, Matrix<double> angles, int workers) {
                const double* data = self.checked(angles);
                auto values = array<double>({angles.shape(0), self.program->n_observables()});
                auto slopes =
                    array<double>({angles.shape(0), self.program->n_observables(), self.program->n_angles()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->energies(data, angles.shape(0), values.data(), slopes.data(), pool, watch);
                });
                return nb::make_tuple(values, slopes);
            },
            "angles"_a, "workers"_a = 0)
        .def(
            "state",
            [](const H& self, Vector<double> angles, int workers) {
                require(angles.shape(0) == self.program->n_angles(),
                        "there must be " + std::to_string(self.program->n_angles()) + " angles, there are " +
                            std::to_string(angles.shape(0)));
                auto amplitudes = array<std::complex<Real>>({std::size_t{1} << self.program->n_qubits()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->state(angles.data(), amplitudes.data(), pool, watch);
                });
                return amplitudes;
            },
            "angles"_a, "workers"_a = 0)
        .def(
            "slopes",
            [](const H& self, Vector<double> angles, Vector<std::complex<Real>> psi,
               Vector<std::complex<Real>> lambda, int workers) {
                const std::size_t n = std::size_t{1} << self.program->n_qubits();
                require(angles.shape(0) == self.program->n_angles(),
                        "there must be " + std::to_string(self.program->n_angles()) + " angles, there are " +
                            std::to_string(angles.shape(0)));
                require(psi.shape(0) == n && lambda.shape(0) == n,
                        "psi and lambda must have " + std::to_string(n) + " amplitudes, they have " +
                            std::to_string(psi.shape(0)) + " and " + std::to_string(lambda.shape(0)));
                auto slopes = array<double>({self.program->n_angles()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->slopes(angles.data(), psi.data(), lambda.data(), slopes.data(), pool, watch);
                });
                return slopes;
            },
            "angles"_a, "psi"_a, "lambda_"_a, "workers"_a = 0)
        .def(
            "counts",
            [](const H& self, bool undone) {
                return tuple_of(self.program->counts(undone));
            },
            "undone"_a = false)
        .def("observed", [](const H& self) { return tuple_of(self.program->observed()); })
        .def_prop_ro("n_angles", [](const H& self) { return self.program->n_angles(); })
        .def_prop_ro("n_observables", [](const H& self) { return self.program->n_observables(); })
        .def_ro("isa", &H::isa)
        .def_ro("number", &H::number);
}

void define_propagation(nb::module_& m) {
    nb::class_<Propagation>(m, "Propagation")
        .def_ro("value", &Propagation::value)
        .def_ro("slopes", &Propagation::slopes)
        .def_ro("dropped", &Propagation::dropped)
        .def_ro("dropped_squares", &Propagation::dropped_squares)
        .def_ro("capped", &Propagation::capped)
        .def_ro("most_terms", &Propagation::most_terms)
        .def_ro("bytes", &Propagation::bytes)
        .def_ro("visits", &Propagation::visits)
        .def_prop_ro("too_many_terms", [](const Propagation& p) { return p.ended == Ended::too_many_terms; })
        .def_prop_ro("tape_too_long", [](const Propagation& p) { return p.ended == Ended::tape_too_long; });
    m.def(
        "propagate",
        [](const Matrix<std::uint64_t>& gate_x, const Matrix<std::uint64_t>& gate_z, const Vector<double>& angle,
           const Vector<std::uint8_t>& free, const Matrix<std::uint64_t>& term_x, const Matrix<std::uint64_t>& term_z,
           const Vector<double>& coefficient, double threshold, int max_weight, std::size_t max_terms, bool cut,
           bool derivative, std::size_t tape_bytes) {
            require_same("gate_x", gate_x, "gate_z", gate_z);
            require_same("gate_x", gate_x, "angle", angle);
            require_same("gate_x", gate_x, "free", free);
            require_same("term_x", term_x, "term_z", term_z);
            require_same("term_x", term_x, "coefficient", coefficient);
            const std::size_t words = term_x.shape(1);
            require(words >= 1 && words < 1 << 20, "masks must have at least one word");
            for (const auto* masks : {&gate_x, &gate_z, &term_z})
                require(masks->shape(1) == words, "all masks must have " + std::to_string(words) + " words");
            require(max_terms >= 1 && max_terms < std::size_t{1} << 30, "max_terms must be 1 to 2^30 - 1");
            const Propagated asked{static_cast<int>(words), gate_x.shape(0), gate_x.data(), gate_z.data(),
                                   angle.data(), free.data(), term_x.shape(0), term_x.data(), term_z.data(),
                                   coefficient.data(), threshold, max_weight, max_terms, cut, derivative, tape_bytes};
            try {
                const nb::gil_scoped_release release;
                return propagate(asked, [] {
                    if (signalled()) throw Interrupted();
                });
            } catch (const Interrupted&) {
                throw nb::python_error();
            }
        },
        "gate_x"_a, "gate_z"_a, "angle"_a, "free"_a, "term_x"_a, "term_z"_a, "coefficient"_a, "threshold"_a,
        "max_weight"_a, "max_terms"_a, "cut"_a, "derivative"_a, "tape_bytes"_a);
}

template <class T>
using Cube = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void check_pairs(const Matrix<std::int32_t>& pairs, int n_qubits) {
    require(pairs.shape(1) == 2, "pairs must have two columns");
    for (std::size_t k = 0; k < pairs.shape(0); ++k)
        require(pairs(k, 0) >= 0 && pairs(k, 0) < n_qubits && pairs(k, 1) >= 0 && pairs(k, 1) < n_qubits &&
                    pairs(k, 0) != pairs(k, 1),
                "pairs must be different qubits from 0 to " + std::to_string(n_qubits - 1));
}

Channels checked(const Cube<double>& steps, const Matrix<std::int32_t>& pairs, int n_qubits) {
    require(n_qubits >= 2 && n_qubits <= 16, "n_qubits must be 2 to 16, it is " + std::to_string(n_qubits));
    require(steps.shape(1) == 16 && steps.shape(2) == 16, "steps must be matrices of 16 x 16");
    require_same("steps", steps, "pairs", pairs);
    check_pairs(pairs, n_qubits);
    return {n_qubits, steps.shape(0), steps.data(), pairs.data()};
}

void define_channels(nb::module_& m) {
    m.def(
        "evolve",
        [](Cube<double> steps, Matrix<std::int32_t> pairs, int n_qubits, const std::string& isa, int workers) {
            const Channels channels = checked(steps, pairs, n_qubits);
            const InstructionSet set = instruction_set(isa);
            auto values = array<double>({std::size_t{1} << 2 * n_qubits});
            compute(workers, [&](Pool& pool, Watch& watch) {
                evolve(channels, values.data(), set.kernels<double>(), pool, watch);
            });
            return values;
        },
        "steps"_a, "pairs"_a, "n_qubits"_a, "isa"_a = "", "workers"_a = 0);
    m.def(
        "pull_back",
        [](Cube<double> steps, Matrix<std::int32_t> pairs, int n_qubits, Vector<double> slopes, std::size_t every,
           const std::string& isa, int workers) {
            const Channels channels = checked(steps, pairs, n_qubits);
            const InstructionSet set = instruction_set(isa);
            require(slopes.shape(0) == std::size_t{1} << 2 * n_qubits, "slopes must be one for each value");
            require(every >= 1, "every must be 1 at least");
            auto derivatives = array<double>({steps.shape(0), 16, 16});
            compute(workers, [&](Pool& pool, Watch& watch) {
                pull_back(channels, slopes.data(), every, derivatives.data(), set.kernels<double>(), pool, watch);
            });
            return derivatives;
        },
        "steps"_a, "pairs"_a, "n_qubits"_a, "slopes"_a, "every"_a, "isa"_a = "", "workers"_a = 0);
}

// A noisy circuit as Python holds it.
struct HeldNoisy {
    std::shared_ptr<const Noisy> program;
    std::int64_t number;

    const double* checked(const Matrix<double>& inputs) const {
        require(inputs.shape(1) == program->n_angles(), "inputs must have " + std::to_string(program->n_angles()) +
                                                            " columns, they have " + std::to_string(inputs.shape(1)));
        return inputs.data();
    }
};

void require_below(std::int64_t place, std::size_t end, const char* what) {
    require(place >= 0 && static_cast<std::size_t>(place) < end,
            std::string(what) + " must be 0 to " + std::to_string(end) + " - 1, not " + std::to_string(place));
}

// Rows of places without the identity, which fills them up and is the last.
std::vector<std::vector<std::int32_t>> without_identity(const Matrix<std::int32_t>& rows, std::size_t n,
                                                        const char* what) {
    std::vector<std::vector<std::int32_t>> found(rows.shape(0));
    for (std::size_t k = 0; k < rows.shape(0); ++k)
        for (std::size_t j = 0; j < rows.shape(1); ++j) {
            require_below(rows(k, j), n + 1, what);
            if (static_cast<std::size_t>(rows(k, j)) < n) found[k].push_back(rows(k, j));
        }
    return found;
}

// From its lists, which are checked, since a place that is wrong would read anywhere.
NoisySteps noisy_steps(int n_qubits, std::size_t n_alpha, std::size_t n_channels, std::size_t n_edges,
                       const Vector<double>& ones, const Vector<std::int32_t>& ones_angle, const Vector<double>& twos,
                       const Vector<std::int32_t>& twos_angle, const Matrix<std::int32_t>& chains,
                       const Matrix<std::int32_t>& bases, const Matrix<std::int32_t>& segments,
                       const Matrix<std::int32_t>& blocks, const Matrix<std::int32_t>& pairs) {
    require(n_qubits >= 2 && n_qubits <= 16, "n_qubits must be 2 to 16, it is " + std::to_string(n_qubits));
    require(ones.size() == 48 * ones_angle.size(), "ones must be three matrices of 4 x 4 for each angle");
    require(twos.size() == 768 * twos_angle.size(), "twos must be three matrices of 16 x 16 for each angle");
    for (const auto* angles : {&ones_angle, &twos_angle})
        for (std::size_t k = 0; k < angles->size(); ++k) require_below((*angles)(k), n_alpha, "an angle");
    require(bases.shape(1) == 3, "bases must have three columns");
    for (std::size_t k = 0; k < bases.size(); ++k) require_below(bases.data()[k], chains.shape(0), "a basis");
    require(segments.shape(1) == 6, "segments must have six columns");
    const std::size_t measured = bases.shape(0);
    const std::size_t ends[6] = {chains.shape(0), chains.shape(0), twos_angle.size() + 1, n_edges + 1, measured + 1,
                                 measured + 1};
    for (std::size_t k = 0; k < segments.shape(0); ++k)
        for (int column = 0; column < 6; ++column) require_below(segments(k, column), ends[column], "a segment");
    check_pairs(pairs, n_qubits);
    require_same("blocks", blocks, "pairs", pairs);
    require(blocks.shape(0) >= 1, "there must be a step");
    const auto list = [](const auto& of) {
        return std::vector<std::int32_t>(of.data(), of.data() + of.size());
    };
    return {n_qubits,
            n_alpha,
            n_channels,
            n_edges,
            measured,
            {ones.data(), ones.data() + ones.size()},
            {twos.data(), twos.data() + twos.size()},
            list(ones_angle),
            list(twos_angle),
            without_identity(chains, ones_angle.size() + n_channels, "a place in chains"),
            list(bases),
            list(segments),
            without_identity(blocks, segments.shape(0), "a place in blocks"),
            list(pairs)};
}

void define_noisy(nb::module_& m) {
    using H = HeldNoisy;
    nb::class_<H>(m, "NoisyProgram")
        .def(
            "__init__",
            [](H* self, int n_qubits, std::size_t n_alpha, std::size_t n_channels, std::size_t n_edges,
               Vector<double> ones, Vector<std::int32_t> ones_angle, Vector<double> twos,
               Vector<std::int32_t> twos_angle, Matrix<std::int32_t> chains, Matrix<std::int32_t> bases,
               Matrix<std::int32_t> segments, Matrix<std::int32_t> blocks, Matrix<std::int32_t> pairs,
               Vector<std::int32_t> place, Vector<double> coefficient, Vector<std::int32_t> owner,
               std::size_t n_observables, std::size_t every, const std::string& isa) {
                NoisySteps steps = noisy_steps(n_qubits, n_alpha, n_channels, n_edges, ones, ones_angle, twos,
                                               twos_angle, chains, bases, segments, blocks, pairs);
                require(every >= 1, "every must be 1 at least");
                require_same("place", place, "coefficient", coefficient);
                require_same("place", place, "owner", owner);
                std::vector<std::vector<Told>> observables(n_observables);
                for (std::size_t k = 0; k < place.size(); ++k) {
                    require_below(place(k), std::size_t{1} << 2 * n_qubits, "a place of a string");
                    require_below(owner(k), n_observables, "an owner");
                    observables[owner(k)].push_back({place(k), coefficient(k)});
                }
                const auto program = std::make_shared<Noisy>(std::move(steps), std::move(observables), every,
                                                             instruction_set(isa).kernels<double>());
                new (self) H{program, enter(program)};
            },
            "n_qubits"_a, "n_alpha"_a, "n_channels"_a, "n_edges"_a, "ones"_a, "ones_angle"_a, "twos"_a, "twos_angle"_a,
            "chains"_a, "bases"_a, "segments"_a, "blocks"_a, "pairs"_a, "place"_a, "coefficient"_a, "owner"_a,
            "n_observables"_a, "every"_a, "isa"_a = "")
        .def(
            "energies",
            [](const H& self, Matrix<double> inputs, int workers) {
                const double* data = self.checked(inputs);
                auto values = array<double>({inputs.shape(0), self.program->n_observables()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->energies(data, inputs.shape(0), values.data(), nullptr, pool, watch);
                });
                return values;
            },
            "angles"_a, "workers"_a = 0)
        .def(
            "energies_and_slopes",
            [](const H& self, Matrix<double> inputs, int workers) {
                const double* data = self.checked(inputs);
                auto values = array<double>({inputs.shape(0), self.program->n_observables()});
                auto slopes =
                    array<double>({inputs.shape(0), self.program->n_observables(), self.program->n_angles()});
                compute(workers, [&](Pool& pool, Watch& watch) {
                    self.program->energies(data, inputs.shape(0), values.data(), slopes.data(), pool, watch);
                });
                return nb::make_tuple(values, slopes);
            },
            "angles"_a, "workers"_a = 0)
        .def_prop_ro("n_angles", [](const H& self) { return self.program->n_angles(); })
        .def_prop_ro("n_observables", [](const H& self) { return self.program->n_observables(); })
        .def_ro("number", &H::number);
}

// A circuit from its lists, which are checked, since an index that is wrong would read anywhere.
NoisyCircuit noisy_circuit(int n_qubits, const Matrix<std::int32_t>& events, const Vector<std::complex<double>>& gates,
                           const Vector<std::int64_t>& at, const Vector<double>& weight, const Vector<double>& reset,
                           const Vector<std::int64_t>& ends, const Vector<std::int32_t>& qubit,
                           const Matrix<double>& factor) {
    require(n_qubits >= 1 && n_qubits <= 40, "n_qubits must be 1 to 40, it is " + std::to_string(n_qubits));
    require(events.shape(1) == 4, "events must have four columns");
    require_same("weight", weight, "reset", reset);
    require_same("qubit", qubit, "factor", factor);
    require(factor.shape(1) == 4, "factor must have four columns");
    NoisyCircuit made{n_qubits, {}, {gates.data(), gates.data() + gates.size()}, {},
                      {weight.data(), weight.data() + weight.size()}, {reset.data(), reset.data() + reset.size()}, {},
                      {qubit.data(), qubit.data() + qubit.size()}, {factor.data(), factor.data() + factor.size()}};
    for (std::size_t k = 0; k < at.size(); ++k) made.at.push_back(static_cast<std::size_t>(at(k)));
    for (std::size_t k = 0; k < events.shape(0); ++k) {
        const Event one{static_cast<Event::Kind>(events(k, 0)), events(k, 1), events(k, 2), events(k, 3)};
        const bool pair = one.kind == Event::pair_gate || one.kind == Event::pair_error;
        const bool gate = one.kind == Event::gate || one.kind == Event::pair_gate;
        require(one.kind >= Event::gate && one.kind <= Event::relaxation, "an event is of no kind that there is");
        require(one.first >= 0 && one.first < n_qubits && one.second >= 0 && one.second < n_qubits &&
                    (!pair || one.first != one.second),
                "an event is on no qubits that there are");
        require(one.number >= 0 &&
                    (gate ? static_cast<std::size_t>(one.number) < made.at.size() &&
                                made.at[one.number] + (pair ? 16 : 4) <= gates.size()
                          : static_cast<std::size_t>(one.number) < weight.size()),
                "an event has a number that nothing has");
        made.events.push_back(one);
    }
    std::size_t begin = 0;
    for (std::size_t k = 0; k < ends.size(); ++k) {
        const auto end = static_cast<std::size_t>(ends(k));
        require(end >= begin && end <= qubit.size(), "ends must ascend, up to the number of factors");
        made.products.push_back({begin, end});
        begin = end;
    }
    for (const std::int32_t q : made.qubit) require(q >= 0 && q < n_qubits, "a factor is on no qubit that there is");
    return made;
}

void define_trajectories(nb::module_& m) {
    m.def(
        "trajectories",
        [](int n_qubits, Matrix<std::int32_t> events, Vector<std::complex<double>> gates, Vector<std::int64_t> at,
           Vector<double> weight, Vector<double> reset, Vector<std::int64_t> ends, Vector<std::int32_t> qubit,
           Matrix<double> factor, std::uint64_t seed, std::uint64_t first, std::size_t count, const std::string& isa,
           int workers) {
            const NoisyCircuit circuit =
                noisy_circuit(n_qubits, events, gates, at, weight, reset, ends, qubit, factor);
            const InstructionSet set = instruction_set(isa);
            auto values = array<double>({count, circuit.products.size()});
            auto weights = array<double>({count});
            auto choices = array<std::uint8_t>({count, circuit.weight.size()});
            compute(workers, [&](Pool& pool, Watch& watch) {
                trajectories(circuit, seed, first, count,
                             {values.data(), weights.data(), choices.data()}, set.kernels<double>(), pool,
                             watch);
            });
            return nb::make_tuple(values, weights, choices);
        },
        "n_qubits"_a, "events"_a, "gates"_a, "at"_a, "weight"_a, "reset"_a, "ends"_a, "qubit"_a, "factor"_a, "seed"_a,
        "first"_a, "count"_a, "isa"_a = "", "workers"_a = 0);
}

}  // namespace

NB_MODULE(_extension, m) {
    // What JAX's caches still hold when the interpreter ends was not leaked, and no user could free it.
    nb::set_leak_warnings(false);
    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const OutOfMemory& error) {
            PyErr_Format(PyExc_MemoryError, "no memory for %zu bytes", error.bytes);
        }
    });
    define_observable(m);
    define_program<double>(m, "ProgramDouble");
    define_program<float>(m, "ProgramSingle");
    define_propagation(m);
    define_channels(m);
    define_noisy(m);
    define_trajectories(m);
    m.def("default_workers", &Pool::default_workers);
    m.def("instruction_sets", [] {
        std::vector<std::string> names;
        for (const InstructionSet& one : instruction_sets()) names.push_back(one.name);
        return names;
    });
    m.def(
        "peak_flops",
        [](bool single, int workers) {
            const InstructionSet set = instruction_set("");
            double flops = 0;
            compute(workers, [&](Pool& pool, Watch& watch) {
                flops = single ? peak_flops(set.in_single, pool, watch) : peak_flops(set.in_double, pool, watch);
            });
            return flops;
        },
        "single"_a = false, "workers"_a = 0);
    m.def(
        "copy_bytes_per_s",
        [](std::size_t bytes, int workers) {
            double rate = 0;
            compute(workers, [&](Pool& pool, Watch& watch) { rate = copy_bytes_per_s(bytes, pool, watch); });
            return rate;
        },
        "n_bytes"_a = std::size_t{1} << 28, "workers"_a = 0);
    m.def("handlers", [] {
        nb::dict handlers;
        handlers["values"] = nb::capsule(values_handler());
        handlers["slopes"] = nb::capsule(slopes_handler());
        return handlers;
    });
}
