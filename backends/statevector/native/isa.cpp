#include "isa.hpp"

#include <cstdlib>
#include <stdexcept>

namespace native {

#if defined(__x86_64__)
extern const Kernels<double> sse2_double, avx2_double, avx512_double;
extern const Kernels<float> sse2_single, avx2_single, avx512_single;
#elif defined(__aarch64__)
extern const Kernels<double> neon_double;
extern const Kernels<float> neon_single;
#endif

namespace {

bool always() { return true; }

#if defined(__x86_64__)
// What CMakeLists.txt compiles the files for. The tests know, too, whether the operating system saves the registers.
bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
}

bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

const InstructionSet all[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, avx512_double, avx512_single},
    {"avx2", has_avx2, avx2_double, avx2_single},
    {"sse2", always, sse2_double, sse2_single},
#elif defined(__aarch64__)
    {"neon", always, neon_double, neon_single},
#endif
};

}  // namespace

template <>
const Kernels<double>& InstructionSet::kernels() const {
    return in_double;
}

template <>
const Kernels<float>& InstructionSet::kernels() const {
    return in_single;
}

std::vector<InstructionSet> instruction_sets() {
    std::vector<InstructionSet> found;
    for (const InstructionSet& one : all)
        if (one.supported()) found.push_back(one);
    return found;
}

InstructionSet instruction_set(const std::string& name) {
    constexpr const char* variable = "HYBRID_NATIVE_ISA";
    const char* said = std::getenv(variable);
    const std::string wanted = !name.empty() ? name : said ? said : "";
    std::string names;
    for (const InstructionSet& one : instruction_sets()) {
        if (wanted.empty() || wanted == one.name) return one;
        names += (names.empty() ? "'" : ", '") + std::string(one.name) + "'";
    }
    throw std::invalid_argument(std::string(name.empty() ? variable : "isa") +
                                " must be one of those that this processor has, " + names + "; it is '" + wanted + "'");
}

}  // namespace native
