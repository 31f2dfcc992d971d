#include "plan.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

namespace native {
namespace {

constexpr std::size_t most_skipped = 512;  // strings that a later one is compared with

using Numbers = std::vector<std::int32_t>;

struct Taken {
    Numbers taken;
    Numbers left;
    std::vector<Mask> basis;  // of their X masks, but for the lanes
};

// The strings that may be applied now: each is accepted, commutes with all before it that are left, and its X mask,
// but for the lanes, lies in a space of so many dimensions.
Taken take(const std::vector<Pauli>& strings, const Numbers& waiting, Mask lanes, std::size_t dimensions,
           const std::function<bool(const Pauli&)>& accepted, bool ordered = true) {
    Taken result;
    Space space;
    for (const std::int32_t number : waiting) {
        const Pauli& string = strings[number];
        const Mask rows = string.x & ~lanes;
        const auto fits = [&] { return space.contains(rows) || space.dimension() < dimensions; };
        const auto free = [&] {
            return !ordered || std::all_of(result.left.begin(), result.left.end(),
                               [&](std::int32_t other) { return string.commutes(strings[other]); });
        };
        const bool room = result.taken.size() < most_steps && result.left.size() < most_skipped;
        if (room && accepted(string) && fits() && free()) {
            if (space.add(rows)) result.basis.push_back(string.x);
            result.taken.push_back(number);
        } else {
            result.left.push_back(number);
        }
    }
    return result;
}

bool anything(const Pauli&) { return true; }
bool mixing(const Pauli& string) { return string.x != 0; }
bool diagonal(const Pauli& string) { return string.x == 0; }

// Vectors that make a basis of so many dimensions, beside the lanes, of those given and of single bits.
std::vector<Mask> completed(std::vector<Mask> basis, int n_bits, Mask lanes, std::size_t dimensions) {
    Space space;
    for (const Mask vector : basis) space.add(vector & ~lanes);
    for (int bit = 0; bit < n_bits && basis.size() < dimensions; ++bit) {
        const Mask unit = Mask{1} << bit;
        if (!(unit & lanes) && space.add(unit)) basis.push_back(unit);
    }
    std::sort(basis.begin(), basis.end());
    return basis;
}

// The coordinates of an index in a basis: index = sum of r_k basis[k] + lane, as r above the bits of the lane.
class Coordinates {
public:
    Coordinates(std::vector<Mask> basis, int lane_bits)
        : basis_(std::move(basis)), lane_bits_(lane_bits), lanes_((Mask{1} << lane_bits) - 1) {
        for (const Mask vector : basis_) space_.add(vector & ~lanes_);
    }

    Mask index(Mask rows) const {
        Mask sum = 0;
        for (std::size_t k = 0; k < basis_.size(); ++k)
            if (rows >> k & 1) sum ^= basis_[k];
        return sum;
    }

    Pauli of(const Pauli& string) const {
        const Mask rows = space_.coordinates(string.x & ~lanes_);
        Mask row_z = 0;
        for (std::size_t k = 0; k < basis_.size(); ++k) row_z |= Mask{odd(string.z & basis_[k])} << k;
        return {rows << lane_bits_ | ((string.x ^ index(rows)) & lanes_), row_z << lane_bits_ | (string.z & lanes_)};
    }

    const std::vector<Mask>& basis() const { return basis_; }
    const Space& space() const { return space_; }

private:
    std::vector<Mask> basis_;
    Space space_;
    int lane_bits_;
    Mask lanes_;
};

// The operations of one pass, from strings in the coordinates of its tiles.
class Tile {
public:
    Tile(Pass& pass, const Shape& shape, const std::vector<Pauli>& strings, const Numbers& numbers,
         const std::vector<Pauli>& local, bool ordered)
        : pass_(pass), shape_(shape), lanes_((Mask{1} << shape.lane_bits) - 1), strings_(strings), numbers_(numbers),
          local_(local), ordered_(ordered) {}

    Numbers sweep(const Numbers& waiting, const std::function<bool(const Pauli&)>& accepted) {
        const Taken found = take(local_, waiting, lanes_, shape_.block_bits, accepted, ordered_);
        if (found.taken.empty()) return waiting;
        const auto basis = completed(found.basis, shape_.lane_bits + pass_.row_bits, lanes_, shape_.block_bits);
        std::vector<Mask> rows;
        for (const Mask vector : basis) rows.push_back(vector >> shape_.lane_bits);
        const Coordinates block(rows, 0);
        Sweep sweep{};
        for (std::uint32_t r = 0; r < 1u << shape_.block_bits; ++r) sweep.rows[r] = block.index(r);
        sweep.pivots = block.space().pivots();
        sweep.begin = pass_.steps.size();
        for (const std::int32_t k : found.taken) {
            const Pauli& string = local_[k];
            Step step{};
            step.z = strings_[numbers_[k]].z;
            step.row_z = string.z >> shape_.lane_bits;
            step.index = numbers_[k];
            step.partner = block.space().coordinates(string.x >> shape_.lane_bits);
            step.lanes = string.x & lanes_;
            for (std::uint32_t r = 0; r < 1u << shape_.block_bits; ++r)
                step.signs |= odd(sweep.rows[r] & step.row_z) << r;
            step.real = odd(strings_[numbers_[k]].x & strings_[numbers_[k]].z);
            pass_.steps.push_back(step);
        }
        sweep.end = pass_.steps.size();
        pass_.operations.push_back({Operation::sweep, static_cast<std::int32_t>(pass_.sweeps.size())});
        pass_.sweeps.push_back(sweep);
        return found.left;
    }

    void layer(Numbers chosen) {
        std::stable_sort(chosen.begin(), chosen.end(), [this](std::int32_t a, std::int32_t b) {
            return local_[a].z >> shape_.lane_bits < local_[b].z >> shape_.lane_bits;
        });
        Layer layer{};
        layer.begin = pass_.diagonals.size();
        for (const std::int32_t k : chosen) {
            const Pauli& string = local_[k];
            const auto& whole = strings_[numbers_[k]];
            Diagonal one{};
            one.z = whole.z;
            one.row_z = string.z >> shape_.lane_bits;
            one.lane_z = string.z & lanes_;
            one.index = numbers_[k];
            one.imaginary = odd(whole.x & whole.z);
            layer.partner = string.x >> shape_.lane_bits;
            layer.lanes = string.x & lanes_;
            layer.crossing |= one.row_z && one.lane_z;
            pass_.diagonals.push_back(one);
        }
        layer.end = pass_.diagonals.size();
        pass_.operations.push_back({Operation::layer, static_cast<std::int32_t>(pass_.layers.size())});
        pass_.layers.push_back(layer);
    }

    bool crosses(std::int32_t k) const { return (local_[k].z & lanes_) && local_[k].z >> shape_.lane_bits; }

    // The diagonal strings that nothing waits for.
    Taken diagonals(const Numbers& waiting) const { return take(local_, waiting, lanes_, 0, diagonal); }

private:
    Pass& pass_;
    const Shape& shape_;
    Mask lanes_;
    const std::vector<Pauli>& strings_;
    const Numbers& numbers_;
    const std::vector<Pauli>& local_;
    bool ordered_;
};

Numbers counted(std::size_t n) {
    Numbers numbers(n);
    for (std::size_t k = 0; k < n; ++k) numbers[k] = k;
    return numbers;
}

Numbers without(const Numbers& all, const Numbers& some) {
    Numbers left;
    for (const std::int32_t k : all)
        if (std::find(some.begin(), some.end(), k) == some.end()) left.push_back(k);
    return left;
}

// Sweeps only, or diagonals in layers where there are enough of them at once.
void rotate(Tile& tile, std::size_t n, const Shape& shape, bool layers) {
    Numbers waiting = counted(n);
    while (!waiting.empty()) {
        if (!layers) {
            waiting = tile.sweep(waiting, anything);
            continue;
        }
        Numbers left = tile.sweep(waiting, mixing);
        if (left.size() < waiting.size()) {
            waiting = left;
            continue;
        }
        Numbers plain, crossing;
        for (const std::int32_t k : tile.diagonals(waiting).taken) (tile.crosses(k) ? crossing : plain).push_back(k);
        Numbers chosen;
        if (static_cast<int>(crossing.size()) >= shape.cross_least) {
            chosen = plain;
            chosen.insert(chosen.end(), crossing.begin(), crossing.end());
        } else if (static_cast<int>(plain.size()) >= shape.layer_least) {
            chosen = plain;
        }
        if (chosen.empty()) {
            waiting = tile.sweep(waiting, anything);
        } else {
            tile.layer(chosen);
            waiting = without(waiting, chosen);
        }
    }
}

// Vector operations on each row of a tile, roughly.
double cost(const Pass& pass, const Shape& shape) {
    double sum = 0;
    for (const Sweep& sweep : pass.sweeps) sum += 1 + 2 * std::max(2, sweep.end - sweep.begin);
    for (const Layer& layer : pass.layers) sum += 2 * (layer.crossing ? shape.cross_least : shape.layer_least);
    return sum;
}

// A pass without operations, for strings whose X masks lie in a space.
Pass laid_out(const Coordinates& coordinates, const Shape& shape) {
    Pass pass{};
    const Mask lanes = (Mask{1} << shape.lane_bits) - 1;
    pass.row_bits = coordinates.basis().size();
    const std::uint32_t n_rows = 1u << pass.row_bits;
    pass.block.resize(n_rows);
    pass.flip.resize(n_rows);
    for (std::uint32_t r = 0; r < n_rows; ++r) {
        const Mask index = coordinates.index(r);
        pass.block[r] = index >> shape.lane_bits;
        pass.flip[r] = index & lanes;
    }
    return pass;
}

void tile_bases(Pass& pass, const Coordinates& coordinates, const std::vector<Mask>& reached) {
    Space sum = coordinates.space();
    for (const Mask vector : reached)
        if (sum.add(vector)) pass.bases.push_back(vector);
}

void mark_zeros(Pass& pass, const std::vector<Mask>& reached, int n_bits, const Shape& shape) {
    Space before;
    for (const Mask vector : reached) before.add(vector);
    const Mask lanes = (Mask{1} << shape.lane_bits) - 1;
    pass.checks = before.checks(((Mask{1} << n_bits) - 1) & ~lanes);
    pass.syndrome.assign(pass.block.size(), 0);
    for (std::size_t r = 0; r < pass.block.size(); ++r)
        for (std::size_t k = 0; k < pass.checks.size(); ++k)
            pass.syndrome[r] |= std::uint32_t{odd(pass.checks[k] & Mask{pass.block[r]} << shape.lane_bits)} << k;
}

std::vector<Mask> units(int from, int to) {
    std::vector<Mask> all;
    for (int bit = from; bit < to; ++bit) all.push_back(Mask{1} << bit);
    return all;
}

std::vector<Pauli> strings_of(const std::vector<Rotation>& rotations) {
    std::vector<Pauli> strings;
    for (const Rotation& rotation : rotations) strings.push_back(rotation.string);
    return strings;
}

std::size_t row_bits(int n_bits, const Shape& shape) {
    return std::max(std::min(n_bits, shape.tile_bits) - shape.lane_bits, shape.block_bits);
}

}  // namespace

std::vector<Pass> rotation_passes(const std::vector<Rotation>& rotations, int n_bits, const Shape& shape, bool undone,
                                  bool from_zero) {
    const std::vector<Pauli> strings = strings_of(rotations);
    const Mask lanes = (Mask{1} << shape.lane_bits) - 1;
    Numbers waiting = counted(strings.size());
    if (undone) std::reverse(waiting.begin(), waiting.end());
    std::vector<Pass> passes;
    std::vector<Coordinates> where;
    while (!waiting.empty()) {
        const Taken found = take(strings, waiting, lanes, row_bits(n_bits, shape), anything);
        const Coordinates coordinates(completed(found.basis, n_bits, lanes, row_bits(n_bits, shape)), shape.lane_bits);
        std::vector<Pauli> local;
        for (const std::int32_t k : found.taken) local.push_back(coordinates.of(strings[k]));
        Pass best;
        for (const bool layers : {false, true}) {
            Pass pass = laid_out(coordinates, shape);
            Tile tile(pass, shape, strings, found.taken, local, true);
            rotate(tile, local.size(), shape, layers);
            if (!layers || cost(pass, shape) < cost(best, shape)) best = std::move(pass);
        }
        passes.push_back(std::move(best));
        where.push_back(coordinates);
        waiting = found.left;
    }
    // What the passes before each, in the order of the circuit, can have reached from |0...0>.
    std::vector<Mask> reached = from_zero ? std::vector<Mask>{} : units(shape.lane_bits, n_bits);
    for (std::size_t k = 0; k < passes.size(); ++k) {
        const std::size_t at = undone ? passes.size() - 1 - k : k;
        mark_zeros(passes[at], reached, n_bits, shape);
        tile_bases(passes[at], where[at], reached);
        for (const Mask vector : where[at].basis()) reached.push_back(vector & ~lanes);
    }
    return passes;
}

std::vector<Pass> term_passes(const std::vector<Term>& terms, int n_bits, const Shape& shape) {
    std::vector<Pauli> strings;
    for (const Term& term : terms) strings.push_back(term.string);
    const Mask lanes = (Mask{1} << shape.lane_bits) - 1;
    Numbers waiting = counted(strings.size());
    std::vector<Pass> passes;
    while (!waiting.empty()) {
        const Taken found = take(strings, waiting, lanes, row_bits(n_bits, shape), anything, false);
        const Coordinates coordinates(completed(found.basis, n_bits, lanes, row_bits(n_bits, shape)), shape.lane_bits);
        std::vector<Pauli> local;
        std::map<Mask, Numbers> by_x;
        for (const std::int32_t k : found.taken) {
            by_x[strings[k].x].push_back(local.size());
            local.push_back(coordinates.of(strings[k]));
        }
        Pass pass = laid_out(coordinates, shape);
        Tile tile(pass, shape, strings, found.taken, local, false);
        Numbers single;
        for (const auto& [x, group] : by_x) {
            if (static_cast<int>(group.size()) >= shape.layer_least)
                tile.layer(group);
            else
                single.insert(single.end(), group.begin(), group.end());
        }
        while (!single.empty()) single = tile.sweep(single, anything);
        mark_zeros(pass, units(shape.lane_bits, n_bits), n_bits, shape);
        tile_bases(pass, coordinates, units(shape.lane_bits, n_bits));
        passes.push_back(std::move(pass));
        waiting = found.left;
    }
    return passes;
}

}  // namespace native
