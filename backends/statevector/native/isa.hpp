// Which instruction sets there are kernels for, and which of them this processor has.
#pragma once

#include <string>
#include <vector>

#include "tile.hpp"

namespace native {

struct InstructionSet {
    const char* name;
    bool (*supported)();
    const Kernels<double>& in_double;
    const Kernels<float>& in_single;

    template <class Real>
    const Kernels<Real>& kernels() const;
};

// Those that this processor has, the widest first.
std::vector<InstructionSet> instruction_sets();

// The one of this name; without one, the one that HYBRID_NATIVE_ISA names, or else the widest.
InstructionSet instruction_set(const std::string& name);

}  // namespace native
