// The Python module.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "program.hpp"

namespace nb = nanobind;
using namespace native;

namespace native {
extern const Kernels<double> avx512_double;
extern const Kernels<float> avx512_float;
}  // namespace native

namespace {

template <class T>
using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T, std::size_t N>
nb::ndarray<nb::numpy, T> array(std::size_t (&&shape)[N], T*& data) {
    std::size_t size = 1;
    for (const std::size_t n : shape) size *= n;
    data = new T[size];
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return nb::ndarray<nb::numpy, T>(data, N, shape, owner);
}

struct Observable {
    std::vector<Term> terms;
};

template <class Real>
void define(nb::module_& m, const char* name, const Kernels<Real>& kernels) {
    using P = Program<Real>;
    nb::class_<P>(m, name)
        .def("__init__",
             [&kernels](P* self, int n_qubits, Vector<std::uint64_t> x, Vector<std::uint64_t> z, Vector<std::int32_t> angle,
                        Vector<double> weight, std::size_t n_angles, const std::vector<Observable>& observables) {
                 std::vector<Rotation> rotations;
                 for (std::size_t k = 0; k < x.size(); ++k)
                     rotations.push_back({Pauli::string(x(k), z(k)), angle(k), weight(k)});
                 std::vector<std::vector<Term>> terms;
                 for (const Observable& one : observables) terms.push_back(one.terms);
                 new (self) P(n_qubits, std::move(rotations), n_angles, std::move(terms), kernels);
             })
        .def("energies",
             [](const P& self, Matrix<double> angles, int workers) {
                 double* values;
                 auto result = array<double>({angles.shape(0), self.n_observables()}, values);
                 {
                     nb::gil_scoped_release release;
                     self.energies(angles.data(), angles.shape(0), values, nullptr, Pool::shared(workers));
                 }
                 return result;
             })
        .def("energies_and_slopes",
             [](const P& self, Matrix<double> angles, int workers) {
                 double *values, *slopes;
                 auto first = array<double>({angles.shape(0), self.n_observables()}, values);
                 auto second = array<double>({angles.shape(0), self.n_observables(), self.n_angles()}, slopes);
                 {
                     nb::gil_scoped_release release;
                     self.energies(angles.data(), angles.shape(0), values, slopes, Pool::shared(workers));
                 }
                 return nb::make_tuple(first, second);
             })
        .def("state",
             [](const P& self, Vector<double> angles, int workers) {
                 std::complex<Real>* amplitudes;
                 auto result = array<std::complex<Real>>({std::size_t{1} << self.n_qubits()}, amplitudes);
                 {
                     nb::gil_scoped_release release;
                     self.state(angles.data(), amplitudes, Pool::shared(workers));
                 }
                 return result;
             })
        .def("counts", [](const P& self, bool undone) {
            const Counts c = self.counts(undone);
            return nb::make_tuple(c.passes, c.sweeps, c.layers, c.steps, c.diagonals);
        });
}

}  // namespace

NB_MODULE(native, m) {
    nb::class_<Observable>(m, "Observable").def("__init__", [](Observable* self, Vector<std::uint64_t> x, Vector<std::uint64_t> z, Vector<double> coefficient) {
        new (self) Observable();
        for (std::size_t k = 0; k < x.size(); ++k)
            self->terms.push_back({Pauli::string(x(k), z(k)), coefficient(k)});
    });
    define<double>(m, "ProgramDouble", avx512_double);
    define<float>(m, "ProgramSingle", avx512_float);
}
