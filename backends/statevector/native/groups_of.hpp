// Groups by the bits that vary in them, and their shares of a job.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "tile.hpp"

namespace native {

// The group whose members' number has these bits of the index as its own, the least significant first.
inline Group group_of_bits(int n_bits, std::initializer_list<int> bits) {
    Group group{n_bits, static_cast<std::int32_t>(bits.size()), {}, {}};
    std::copy(bits.begin(), bits.end(), group.place);
    for (std::uint64_t member = 0; member < std::uint64_t{1} << group.varying; ++member)
        for (int k = 0; k < group.varying; ++k) group.offset[member] |= (member >> k & 1) << group.place[k];
    std::sort(group.place, group.place + group.varying);
    return group;
}

// Blocks of groups, in shares that do not depend on the number of threads.
struct Chunks {
    static constexpr std::uint64_t length = 1024;
    std::uint64_t blocks;
    std::size_t count;

    Chunks(const Group& group, int lane_bits) {
        const int bits = group.n_bits - group.varying - lane_bits;
        blocks = bits > 0 ? std::uint64_t{1} << bits : 1;
        count = (blocks + length - 1) / length;
    }

    std::uint64_t begin(std::size_t chunk) const { return chunk * length; }
    std::uint64_t end(std::size_t chunk) const { return std::min(begin(chunk) + length, blocks); }
};

}  // namespace native
