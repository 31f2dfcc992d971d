#include "propagation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

namespace native {

namespace {

constexpr std::uint32_t nobody = 0xffffffffu;
constexpr double snap = 1e-14;             // angles this close to a multiple of pi/2 are taken for it
constexpr double between_questions = 4e6;  // strings looked at
constexpr std::uint32_t most_numbers = 1u << 30;

// What happened at one gate, for the way back. Strings are numbered in the order in which they came up.
struct Pair {
    std::uint32_t i, j;  // the highest bit of j: i G P_i is -P_j
};
struct Former {
    std::uint32_t i;
    double coefficient;
};
struct Step {
    std::size_t pairs, alone, dropped;  // ends of its records
};

constexpr std::uint32_t minus = 0x80000000u;

// `W` words a mask, or, for 0, as many as the request says.
template <int W>
class Walk {
   public:
    Walk(const Propagated& asked, const std::function<void()>& interrupted)
        : asked_(asked), interrupted_(interrupted), words_(W ? W : asked.words) {
        std::mt19937_64 random(20250101);
        bits_.resize(128 * static_cast<std::size_t>(words_));
        for (std::uint64_t& bit : bits_) bit = random();
    }

    Propagation operator()() {
        start();
        steps_.resize(asked_.n_gates);
        for (std::size_t k = asked_.n_gates; k-- > 0;) {
            apply(k);
            if (answer_.ended != Ended::done) return answer_;
        }
        finish();
        return answer_;
    }

   private:
    const Propagated& asked_;
    const std::function<void()>& interrupted_;
    const int words_;
    Propagation answer_;
    std::vector<std::uint64_t> bits_;  // hash of each bit
    // Of each string: x and z words, hash, coefficient, size of its largest derivative, sign, number on the tape.
    std::vector<std::uint64_t> key_, hash_;
    std::vector<double> c_, d_;
    std::vector<std::int8_t> sign_;
    std::vector<std::uint32_t> id_;
    std::vector<std::uint8_t> done_;
    std::vector<std::uint32_t> table_;
    bool stale_ = true;
    std::size_t gone_ = 0;  // strings of coefficient 0 that still stand in the table
    std::uint32_t next_id_ = 0;
    double since_ = 0;
    std::vector<Step> steps_;
    std::vector<Pair> pairs_;
    std::vector<Former> alone_, dropped_;

    // The gate at hand.
    const std::uint64_t *gx_ = nullptr, *gz_ = nullptr;
    std::vector<int> active_;
    std::uint64_t gate_hash_ = 0;
    int gate_y_ = 0;

    std::size_t size() const { return c_.size(); }
    const std::uint64_t* x(std::size_t i) const { return key_.data() + 2 * words_ * i; }
    const std::uint64_t* z(std::size_t i) const { return x(i) + words_; }
    double size_of(std::size_t i) const {
        return asked_.derivative ? std::max(std::abs(c_[i]), d_[i]) : std::abs(c_[i]);
    }

    std::uint64_t hash(const std::uint64_t* mask, int offset) const {
        std::uint64_t h = 0;
        for (int w = 0; w < words_; ++w)
            for (std::uint64_t m = mask[w]; m; m &= m - 1) h ^= bits_[64 * (offset + w) + std::countr_zero(m)];
        return h;
    }

    void start() {
        for (std::size_t t = 0; t < asked_.n_terms; ++t) {
            key_.insert(key_.end(), asked_.term_x + words_ * t, asked_.term_x + words_ * (t + 1));
            key_.insert(key_.end(), asked_.term_z + words_ * t, asked_.term_z + words_ * (t + 1));
            push(hash(asked_.term_x + words_ * t, 0) ^ hash(asked_.term_z + words_ * t, words_),
                 asked_.coefficient[t], 0.0, 1);
        }
        rebuild();
    }

    void push(std::uint64_t h, double c, double d, std::int8_t sign) {
        hash_.push_back(h);
        c_.push_back(c);
        sign_.push_back(sign);
        done_.push_back(0);
        if (asked_.derivative) {
            d_.push_back(d);
            id_.push_back(next_id_++);
        }
    }

    // Note what is held now, with former copies of what grew: masks, the record and the table; and `more`.
    void note(std::size_t more = 0) {
        const std::size_t each = 32 * static_cast<std::size_t>(words_) + 18 + (asked_.derivative ? 12 : 0);
        const std::size_t tape = sizeof(Pair) * pairs_.size() + sizeof(Former) * (alone_.size() + dropped_.size());
        answer_.bytes = std::max(answer_.bytes, each * size() + 2 * tape + 6 * table_.size() + more);
    }

    // Where a string of this hash stands, as `same` recognizes it, or the free place for it.
    template <class Same>
    std::size_t place(std::uint64_t h, const Same& same) const {
        const std::size_t mask = table_.size() - 1;
        std::size_t at = h & mask;
        while (table_[at] != nobody && !(hash_[table_[at]] == h && same(table_[at]))) at = (at + 1) & mask;
        return at;
    }

    void rebuild() {
        table_.assign(std::bit_ceil(std::max<std::size_t>(64, 2 * size() + 2)), nobody);
        for (std::size_t i = 0; i < size(); ++i) {
            const auto same = [&](std::size_t j) { return std::equal(x(i), x(i) + 2 * words_, x(j)); };
            table_[place(hash_[i], same)] = static_cast<std::uint32_t>(i);
        }
        stale_ = false;
    }

    void take(std::size_t k) {
        gx_ = asked_.gate_x + words_ * k;
        gz_ = asked_.gate_z + words_ * k;
        gate_hash_ = hash(gx_, 0) ^ hash(gz_, words_);
        active_.clear();
        gate_y_ = 0;
        for (int w = 0; w < words_; ++w) {
            if (gx_[w] | gz_[w]) active_.push_back(w);
            gate_y_ += std::popcount(gx_[w] & gz_[w]);
        }
    }

    bool anticommutes(std::size_t i) const {
        std::uint64_t odd = 0;
        for (const int w : active_) odd ^= (x(i)[w] & gz_[w]) ^ (z(i)[w] & gx_[w]);
        return std::popcount(odd) & 1;
    }

    // The sign of i G P against the string of its masks.
    int sign_of_product(std::size_t i) const {
        int power = 1 + gate_y_;
        for (const int w : active_) {
            const std::uint64_t px = x(i)[w], pz = z(i)[w];
            power += std::popcount(px & pz) - std::popcount((px ^ gx_[w]) & (pz ^ gz_[w])) +
                     2 * std::popcount(gz_[w] & px);
        }
        return (power & 3) == 0 ? 1 : -1;
    }

    bool too_heavy(std::size_t i, bool multiplied) const {
        if (!asked_.max_weight) return false;
        int weight = 0;
        for (int w = 0; w < words_; ++w)
            weight += std::popcount((x(i)[w] ^ (multiplied ? gx_[w] : 0)) | (z(i)[w] ^ (multiplied ? gz_[w] : 0)));
        return weight > asked_.max_weight;
    }

    void apply(std::size_t k) {
        take(k);
        answer_.visits += static_cast<double>(size());
        since_ += static_cast<double>(size());
        if (since_ > between_questions) {
            since_ = 0;
            interrupted_();
        }
        const double cos = std::cos(asked_.angle[k]), sin = std::sin(asked_.angle[k]);
        const bool free = asked_.derivative && asked_.free[k];
        if (!free && std::abs(sin) < snap)
            relabel(cos > 0 ? 0 : 2);
        else if (!free && std::abs(cos) < snap)
            relabel(sin > 0 ? 1 : 3);
        else
            branch(cos, sin, free);
        steps_[k] = {pairs_.size(), alone_.size(), dropped_.size()};
    }

    // A Clifford rotation makes one string of each.
    void relabel(int quarters) {
        if (!quarters) return;
        for (std::size_t i = 0; i < size(); ++i) {
            if (!anticommutes(i)) continue;
            if (quarters == 2) {
                sign_[i] = static_cast<std::int8_t>(-sign_[i]);
                continue;
            }
            const int sign = sign_of_product(i) * (quarters == 1 ? 1 : -1);
            sign_[i] = static_cast<std::int8_t>(sign * sign_[i]);
            for (const int w : active_) {
                key_[2 * words_ * i + w] ^= gx_[w];
                key_[2 * words_ * i + words_ + w] ^= gz_[w];
            }
            hash_[i] ^= gate_hash_;
            stale_ = true;
        }
    }

    void branch(double cos, double sin, bool free) {
        const std::size_t n = size();
        bool touched = false;
        for (std::size_t i = 0; i < n; ++i) {
            if (done_[i]) {
                done_[i] = 0;
                continue;
            }
            if (size_of(i) == 0 || !anticommutes(i)) continue;
            if (stale_) rebuild();
            touched = true;
            const int sign = sign_of_product(i) * sign_[i];
            const std::uint64_t h = hash_[i] ^ gate_hash_;
            const auto same = [&](std::size_t j) {
                for (int w = 0; w < words_; ++w)
                    if ((x(i)[w] ^ gx_[w]) != x(j)[w] || (z(i)[w] ^ gz_[w]) != z(j)[w]) return false;
                return true;
            };
            const std::size_t at = place(h, same);
            std::size_t j = table_[at];
            if (j == nobody) {
                const double made = std::abs(sin * c_[i]);
                double slope = 0;
                if (asked_.derivative)
                    slope = std::max(std::abs(sin) * d_[i], free ? std::abs(cos * c_[i]) : 0.0);
                const double larger = std::max(made, slope);
                if (larger == 0 || larger < asked_.threshold || too_heavy(i, true)) {
                    lose(made);
                    if (asked_.derivative) {
                        alone_.push_back({id_[i], c_[i]});
                        d_[i] = std::max(std::abs(cos) * d_[i], free ? made : 0.0);
                    }
                    c_[i] *= cos;
                    continue;
                }
                j = size();
                key_.resize(key_.size() + 2 * words_);
                for (int w = 0; w < 2 * words_; ++w)
                    key_[2 * words_ * j + w] = key_[2 * words_ * i + w] ^ (w < words_ ? gx_[w] : gz_[w - words_]);
                push(h, 0.0, 0.0, static_cast<std::int8_t>(sign));
                table_[at] = static_cast<std::uint32_t>(j);
                if (2 * size() > table_.size()) rebuild();
            } else if (j > i && j < n) {
                done_[j] = 1;
            }
            turn(i, j, sign * sign_[j], cos, sin, free);
        }
        if (!touched) return;
        note();
        sweep();
        answer_.most_terms = std::max(answer_.most_terms, size() - gone_);
        if (size() - gone_ > asked_.max_terms) {
            answer_.capped = true;
            if (!asked_.cut) {
                answer_.ended = Ended::too_many_terms;
                return;
            }
            keep(asked_.max_terms - asked_.max_terms / 4);
        }
        if (4 * gone_ > size()) compact();
        const std::size_t tape = sizeof(Pair) * pairs_.size() + sizeof(Former) * (alone_.size() + dropped_.size());
        if (tape > asked_.tape_bytes || next_id_ > most_numbers) answer_.ended = Ended::tape_too_long;
    }

    void turn(std::size_t i, std::size_t j, int sign, double cos, double sin, bool free) {
        const double a = c_[i], b = c_[j], s = sign * sin;
        c_[i] = cos * a - s * b;
        c_[j] = s * a + cos * b;
        if (!asked_.derivative) return;
        const double da = d_[i], db = d_[j];
        d_[i] = std::max(std::abs(cos) * da + std::abs(sin) * db, free ? std::abs(c_[j]) : 0.0);
        d_[j] = std::max(std::abs(sin) * da + std::abs(cos) * db, free ? std::abs(c_[i]) : 0.0);
        pairs_.push_back({id_[i], id_[j] | (sign < 0 ? minus : 0)});
    }

    void lose(double c) {
        answer_.dropped += std::abs(c);
        answer_.dropped_squares += c * c;
    }

    void drop(std::size_t i) {
        lose(c_[i]);
        if (asked_.derivative) {
            dropped_.push_back({id_[i], c_[i]});
            d_[i] = 0;
        }
        c_[i] = 0;
        ++gone_;
    }

    void sweep() {
        gone_ = 0;
        for (std::size_t i = 0; i < size(); ++i) {
            const double here = size_of(i);
            if (here == 0)
                ++gone_;
            else if (here < asked_.threshold || too_heavy(i, false))
                drop(i);
        }
    }

    // Drop all but so many, the smallest first.
    void keep(std::size_t most) {
        std::vector<std::uint32_t> order;
        for (std::size_t i = 0; i < size(); ++i)
            if (size_of(i) != 0) order.push_back(static_cast<std::uint32_t>(i));
        note(6 * order.size());
        const auto first = [&](std::uint32_t a, std::uint32_t b) {
            const double left = size_of(a), right = size_of(b);
            return left != right ? left > right : a < b;
        };
        std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(), first);
        std::sort(order.begin() + static_cast<std::ptrdiff_t>(most), order.end());
        for (std::size_t at = most; at < order.size(); ++at) drop(order[at]);
    }

    void compact() {
        std::size_t to = 0;
        for (std::size_t i = 0; i < size(); ++i) {
            if (size_of(i) == 0) continue;
            std::copy_n(key_.begin() + static_cast<std::ptrdiff_t>(2 * words_ * i), 2 * words_,
                        key_.begin() + static_cast<std::ptrdiff_t>(2 * words_ * to));
            hash_[to] = hash_[i];
            c_[to] = c_[i];
            sign_[to] = sign_[i];
            if (asked_.derivative) {
                d_[to] = d_[i];
                id_[to] = id_[i];
            }
            ++to;
        }
        key_.resize(2 * words_ * to);
        hash_.resize(to);
        c_.resize(to);
        sign_.resize(to);
        done_.assign(to, 0);
        if (asked_.derivative) {
            d_.resize(to);
            id_.resize(to);
        }
        gone_ = 0;
        stale_ = true;
    }

    // |0...0> leaves the strings without X and Y.
    void finish() {
        answer_.most_terms = std::max(answer_.most_terms, size() - gone_);
        std::vector<double> c(asked_.derivative ? next_id_ : 0, 0.0), lambda(c);
        for (std::size_t i = 0; i < size(); ++i) {
            const bool seen = std::all_of(x(i), x(i) + words_, [](std::uint64_t word) { return word == 0; });
            if (seen) answer_.value += sign_[i] * c_[i];
            if (asked_.derivative && size_of(i) != 0) {
                c[id_[i]] = c_[i];
                lambda[id_[i]] = seen ? sign_[i] : 0;
            }
        }
        if (asked_.derivative) {
            note(2 * sizeof(double) * next_id_);
            back(c, lambda);
        }
    }

    // The same steps, undone on the coefficients, and transposed on the derivatives by them.
    void back(std::vector<double>& c, std::vector<double>& lambda) {
        answer_.slopes.assign(asked_.n_gates, 0.0);
        for (std::size_t k = 0; k < asked_.n_gates; ++k) {
            const Step end = steps_[k];
            const Step begin = k + 1 < asked_.n_gates ? steps_[k + 1] : Step{0, 0, 0};
            const double cos = std::cos(asked_.angle[k]), sin = std::sin(asked_.angle[k]);
            for (std::size_t e = begin.dropped; e < end.dropped; ++e) {
                c[dropped_[e].i] = dropped_[e].coefficient;
                lambda[dropped_[e].i] = 0;
            }
            double slope = 0;
            for (std::size_t e = begin.pairs; e < end.pairs; ++e) {
                const std::uint32_t i = pairs_[e].i, j = pairs_[e].j & ~minus;
                const double sign = pairs_[e].j & minus ? -1.0 : 1.0, s = sign * sin;
                const double a = c[i], b = c[j], u = lambda[i], v = lambda[j];
                slope += sign * (v * a - u * b);
                c[i] = cos * a + s * b;
                c[j] = cos * b - s * a;
                lambda[i] = cos * u + s * v;
                lambda[j] = cos * v - s * u;
            }
            for (std::size_t e = begin.alone; e < end.alone; ++e) {
                const auto [i, before] = alone_[e];
                slope -= lambda[i] * sin * before;
                lambda[i] *= cos;
                c[i] = before;
            }
            answer_.slopes[k] = slope;
        }
    }
};

}  // namespace

Propagation propagate(const Propagated& asked, const std::function<void()>& interrupted) {
    switch (asked.words) {
        case 1: return Walk<1>(asked, interrupted)();
        case 2: return Walk<2>(asked, interrupted)();
        case 3: return Walk<3>(asked, interrupted)();
        case 4: return Walk<4>(asked, interrupted)();
        default: return Walk<0>(asked, interrupted)();
    }
}

}  // namespace native
