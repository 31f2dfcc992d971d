// The kernels, for the instruction set that the including file is compiled for.
//
// Everything stands in unnamed namespaces and uses nothing of the standard library: an inline function or template of
// external linkage that two instruction sets compile would be linked once for both.
//
// VECTOR_BYTES is the length of a vector register, ROTATE_BITS and PAIR_BITS are how many rows (as powers of two) of
// one state, and of two, are held in registers.
#include "groups.hpp"
#include "tile.hpp"
#include "vectors.hpp"

namespace native {
namespace {

template <class Real>
struct Tiles {
    using Index = typename Lanes<Real>::Index;
    typedef Real V __attribute__((vector_size(VECTOR_BYTES)));
    typedef Index I __attribute__((vector_size(VECTOR_BYTES)));
    static constexpr int lanes = VECTOR_BYTES / sizeof(Real);
    static constexpr int lane_bits = __builtin_ctz(lanes);

    static INLINE I exchange(typename Lanes<Real>::Index mask) {
        I lane;
        for (int l = 0; l < lanes; ++l) lane[l] = l;
        return lane ^ mask;
    }

    static INLINE V exchanged(V v, I index) { return __builtin_shuffle(v, index); }

    static INLINE V signs(std::uint64_t z) {
        V v;
        for (int l = 0; l < lanes; ++l) v[l] = odd(l & z) ? -1 : 1;
        return v;
    }

    static INLINE double sum(V v) {
        double total = 0;
        for (int l = 0; l < lanes; ++l) total += v[l];
        return total;
    }

    static void coefficients(Real* vectors, double value, std::uint64_t z) {
        const V v = signs(z & (lanes - 1)) * static_cast<Real>(value);
        V* three = reinterpret_cast<V*>(vectors);
        three[0] = v;
        three[1] = -v;
        three[2] = v;
    }

    // ---- rows of a tile and of the state

    static INLINE V* row_of(Real* state, std::uint64_t block) { return reinterpret_cast<V*>(state) + 2 * block; }
    static INLINE const V* row_of(const Real* state, std::uint64_t block) {
        return reinterpret_cast<const V*>(state) + 2 * block;
    }

    static INLINE void gather(const View& view, const Place& place, Real scale, const Real* state, V* tile) {
        const std::uint32_t n_rows = 1u << view.row_bits;
        const std::uint64_t first = place.base >> lane_bits;
        for (std::uint32_t r = 0; r < n_rows; ++r) {
            if (view.zeros && view.syndrome[r] != place.syndrome) {
                tile[2 * r] = tile[2 * r + 1] = V{};
                continue;
            }
            const V* from = row_of(state, first ^ view.block[r]);
            V re = from[0] * scale, im = from[1] * scale;
            if (view.flip[r]) {
                const I index = exchange(view.flip[r]);
                re = exchanged(re, index);
                im = exchanged(im, index);
            }
            tile[2 * r] = re;
            tile[2 * r + 1] = im;
        }
    }

    template <bool add>
    static INLINE void scatter(const View& view, const Place& place, Real scale, const V* tile, Real* state,
                               bool only_known) {
        const std::uint32_t n_rows = 1u << view.row_bits;
        const std::uint64_t first = place.base >> lane_bits;
        for (std::uint32_t r = 0; r < n_rows; ++r) {
            if (only_known && view.zeros && view.syndrome[r] != place.syndrome) continue;
            V re = tile[2 * r] * scale, im = tile[2 * r + 1] * scale;
            if (view.flip[r]) {
                const I index = exchange(view.flip[r]);
                re = exchanged(re, index);
                im = exchanged(im, index);
            }
            V* to = row_of(state, first ^ view.block[r]);
            if (add) {
                re += to[0];
                im += to[1];
            }
            to[0] = re;
            to[1] = im;
        }
    }

    // Fetches the rows of the tile that comes next into the cache, a few at a time, while this one is worked on.
    class Ahead {
    public:
        INLINE Ahead(const View& view, const Place& next, const Real* psi, const Real* lambda)
            : block_(view.block), psi_(reinterpret_cast<const V*>(psi)), lambda_(reinterpret_cast<const V*>(lambda)),
              base_(next.base >> lane_bits), left_(view.zeros ? 0 : 1u << view.row_bits) {}

        INLINE void fetch() {
#pragma GCC unroll 2
            for (int k = 0; k < 2; ++k) {
                if (!left_) return;
                const std::uint64_t row = 2 * (base_ ^ block_[--left_]);
                __builtin_prefetch(psi_ + row, 0, 2);
                __builtin_prefetch(psi_ + row + 1, 0, 2);
                if (lambda_) {
                    __builtin_prefetch(lambda_ + row, 0, 2);
                    __builtin_prefetch(lambda_ + row + 1, 0, 2);
                }
            }
        }

    private:
        const std::uint32_t* block_;
        const V *psi_, *lambda_;
        std::uint64_t base_;
        std::uint32_t left_;
    };

    // ---- sweeps: rows in registers; a[2 r] is the real part of row r of a block, a[2 r + 1] the imaginary one

    template <int rows>
    static INLINE void load(const V* tile, std::uint32_t first, const Sweep& sweep, V (&a)[2 * rows]) {
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const V* from = tile + 2 * (first ^ sweep.rows[r]);
            a[2 * r] = from[0];
            a[2 * r + 1] = from[1];
        }
    }

    template <int rows>
    static INLINE void store(V* tile, std::uint32_t first, const Sweep& sweep, const V (&a)[2 * rows]) {
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            V* to = tile + 2 * (first ^ sweep.rows[r]);
            to[0] = a[2 * r];
            to[1] = a[2 * r + 1];
        }
    }

    // a += -i P a, times c[sign] in each row: a rotation but for its cosine.
    template <int rows, int partner, bool real, bool across>
    static INLINE void rotated(V (&a)[2 * rows], const V* c, const std::uint16_t* sign, I index) {
        if constexpr (across) {
#pragma GCC unroll 8
            for (int r = 0; r < rows; ++r) {
                const int s = r ^ partner;
                if (s < r) continue;
                const V re = a[2 * r], im = a[2 * r + 1], other_re = a[2 * s], other_im = a[2 * s + 1];
                const V t = at(c, sign[r]);
                const V x = exchanged(other_re, index), y = exchanged(other_im, index);
                a[2 * r] = real ? re + t * x : re + t * y;
                a[2 * r + 1] = real ? im + t * y : im - t * x;
                if (s != r) {
                    const V u = at(c, sign[s]);
                    const V v = exchanged(re, index), w = exchanged(im, index);
                    a[2 * s] = real ? other_re + u * v : other_re + u * w;
                    a[2 * s + 1] = real ? other_im + u * w : other_im - u * v;
                }
            }
        } else {
#pragma GCC unroll 8
            for (int r = 0; r < rows; ++r) {
                const int s = r ^ partner;
                if (s < r) continue;
                const V re = a[2 * r], im = a[2 * r + 1], other_re = a[2 * s], other_im = a[2 * s + 1];
                const V t = at(c, sign[r]);
                a[2 * r] = real ? re + t * other_re : re + t * other_im;
                a[2 * r + 1] = real ? im + t * other_im : im - t * other_re;
                if (s != r) {
                    a[2 * s] = real ? other_re - t * re : other_re + t * im;
                    a[2 * s + 1] = real ? other_im - t * im : other_im - t * re;
                }
            }
        }
    }

    // Re <b| -i P |a>, times g[sign] in each row.
    template <int rows, int partner, bool real, bool across>
    static INLINE V overlap(const V (&a)[2 * rows], const V (&b)[2 * rows], const V* g, const std::uint16_t* sign,
                            I index) {
        V total{};
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const int s = r ^ partner;
            if (across) {
                const V x = exchanged(a[2 * s], index), y = exchanged(a[2 * s + 1], index);
                const V part = real ? b[2 * r] * x + b[2 * r + 1] * y : b[2 * r] * y - b[2 * r + 1] * x;
                total += at(g, sign[r]) * part;
                continue;
            }
            if (s < r) continue;
            V part = real ? b[2 * r] * a[2 * s] + b[2 * r + 1] * a[2 * s + 1]
                          : b[2 * r] * a[2 * s + 1] - b[2 * r + 1] * a[2 * s];
            if (s != r)
                part = real ? part - b[2 * s] * a[2 * r] - b[2 * s + 1] * a[2 * r + 1]
                            : part + b[2 * s] * a[2 * r + 1] - b[2 * s + 1] * a[2 * r];
            total += at(g, sign[r]) * part;
        }
        return total;
    }

    // b += P a, times c[sign] in each row.
    template <int rows, int partner, bool imaginary, bool across>
    static INLINE void applied(const V (&a)[2 * rows], V (&b)[2 * rows], const V* c, const std::uint16_t* sign,
                               I index) {
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const int s = r ^ partner;
            const V t = at(c, sign[r]);
            const V x = across ? exchanged(a[2 * s], index) : a[2 * s];
            const V y = across ? exchanged(a[2 * s + 1], index) : a[2 * s + 1];
            b[2 * r] = imaginary ? b[2 * r] - t * y : b[2 * r] + t * x;
            b[2 * r + 1] = imaginary ? b[2 * r + 1] + t * x : b[2 * r + 1] + t * y;
        }
    }

    // A step on one tile. What blocks have in common is prepared, since a step on a block takes but a few cycles.
    struct Prepared {
        const V* coefficients;
        std::uint32_t row_z;
        std::uint16_t sign[8];  // of each row of the block: 0, or the bytes to the vector of the other sign
        std::uint8_t kind, lanes;
    };

    template <int rows>
    static INLINE void prepare(const View& view, const Sweep& sweep, std::uint64_t base, const V* coefficients,
                               int vectors, Prepared* steps) {
        for (std::int32_t k = sweep.begin; k < sweep.end; ++k, ++steps) {
            const Step& step = view.steps[k];
            const unsigned signs = step.signs ^ -static_cast<unsigned>(odd(base & step.z));
            steps->coefficients = coefficients + vectors * k;
            steps->row_z = step.row_z;
            for (int r = 0; r < rows; ++r) steps->sign[r] = (signs >> r & 1) * sizeof(V);
            steps->kind = step.partner | (step.real ? 8 : 0) | (step.lanes ? 16 : 0);
            steps->lanes = step.lanes;
        }
    }

    static INLINE V at(const V* vectors, std::uint16_t bytes) {
        return *reinterpret_cast<const V*>(reinterpret_cast<const char*>(vectors) + bytes);
    }

#define ONE(bits, partner, real, across) \
    case (partner | real << 3 | across << 4): \
        if constexpr (partner < 1 << bits) { ACT(partner, real, across) } \
        break;
#define KINDS(bits, partner) \
    ONE(bits, partner, 0, 0) ONE(bits, partner, 1, 0) ONE(bits, partner, 0, 1) ONE(bits, partner, 1, 1)
#define SWITCH(bits, kind) \
    switch (kind) { \
        KINDS(bits, 0) KINDS(bits, 1) KINDS(bits, 2) KINDS(bits, 3) \
        KINDS(bits, 4) KINDS(bits, 5) KINDS(bits, 6) KINDS(bits, 7) \
        default: __builtin_unreachable(); \
    }

    static __attribute__((noinline)) void rotate_sweep(const View& view, const Sweep& sweep, std::uint64_t base,
                                                       const V* coefficients, V* tile, Ahead& ahead) {
        constexpr int rows = 1 << ROTATE_BITS;
        Prepared steps[most_steps];
        prepare<rows>(view, sweep, base, coefficients, 3, steps);
        const std::uint32_t blocks = 1u << (view.row_bits - ROTATE_BITS);
        std::uint32_t first = 0;
        for (std::uint32_t block = 0; block < blocks; ++block) {
            V a[2 * rows];
            ahead.fetch();
            load<rows>(tile, first, sweep, a);
            const Prepared* step = steps;
            for (std::int32_t k = sweep.begin; k < sweep.end; ++k, ++step) {
                const V* c = step->coefficients + odd(first & step->row_z);
#define ACT(partner, real, across) rotated<rows, partner, real, across>(a, c, step->sign, exchange(step->lanes));
                SWITCH(ROTATE_BITS, step->kind)
#undef ACT
            }
            store<rows>(tile, first, sweep, a);
            first = ((first | sweep.pivots) + 1) & ~sweep.pivots;
        }
    }

    // Overlaps of every step are added to `overlaps` before it is undone on both states.
    static __attribute__((noinline)) void undo_sweep(const View& view, const Sweep& sweep, std::uint64_t base,
                                                     const V* coefficients, V* psi, V* lambda, V* overlaps,
                                                     Ahead& ahead) {
        constexpr int rows = 1 << PAIR_BITS;
        Prepared steps[most_steps];
        prepare<rows>(view, sweep, base, coefficients, 6, steps);
        const std::uint32_t blocks = 1u << (view.row_bits - PAIR_BITS);
        std::uint32_t first = 0;
        for (std::uint32_t block = 0; block < blocks; ++block) {
            V a[2 * rows], b[2 * rows];
            ahead.fetch();
            load<rows>(psi, first, sweep, a);
            load<rows>(lambda, first, sweep, b);
            const Prepared* step = steps;
            for (std::int32_t k = sweep.begin; k < sweep.end; ++k, ++step) {
                const V* c = step->coefficients + odd(first & step->row_z);
#define ACT(partner, real, across) \
    overlaps[k] += overlap<rows, partner, real, across>(a, b, c + 3, step->sign, exchange(step->lanes)); \
    rotated<rows, partner, real, across>(a, c, step->sign, exchange(step->lanes)); \
    rotated<rows, partner, real, across>(b, c, step->sign, exchange(step->lanes));
                SWITCH(PAIR_BITS, step->kind)
#undef ACT
            }
            store<rows>(psi, first, sweep, a);
            store<rows>(lambda, first, sweep, b);
            first = ((first | sweep.pivots) + 1) & ~sweep.pivots;
        }
    }

    static __attribute__((noinline)) void observe_sweep(const View& view, const Sweep& sweep, std::uint64_t base,
                                                        const V* coefficients, const V* psi, V* lambda,
                                                        Ahead& ahead) {
        constexpr int rows = 1 << ROTATE_BITS;
        Prepared steps[most_steps];
        prepare<rows>(view, sweep, base, coefficients, 3, steps);
        const std::uint32_t blocks = 1u << (view.row_bits - ROTATE_BITS);
        std::uint32_t first = 0;
        for (std::uint32_t block = 0; block < blocks; ++block) {
            V a[2 * rows], b[2 * rows];
            ahead.fetch();
            load<rows>(psi, first, sweep, a);
            load<rows>(lambda, first, sweep, b);
            const Prepared* step = steps;
            for (std::int32_t k = sweep.begin; k < sweep.end; ++k, ++step) {
                const V* c = step->coefficients + odd(first & step->row_z);
#define ACT(partner, imaginary, across) \
    applied<rows, partner, imaginary, across>(a, b, c, step->sign, exchange(step->lanes));
                SWITCH(ROTATE_BITS, step->kind)
#undef ACT
            }
            store<rows>(lambda, first, sweep, b);
            first = ((first | sweep.pivots) + 1) & ~sweep.pivots;
        }
    }

    // ---- layers: functions of row and lane as sums of signs, from tables over rows

    // table[r] becomes the sum over m of (-1)^(r & m) table[m].
    static INLINE void transform(double* table, std::uint32_t size) {
        constexpr int width = VECTOR_BYTES / sizeof(double);
        Doubles* vectors = reinterpret_cast<Doubles*>(table);
        Longs lane;
        for (int l = 0; l < width; ++l) lane[l] = l;
        const std::uint32_t n = size / width;
        for (std::uint32_t k = 0; k < n; ++k) {
            Doubles v = vectors[k];
#pragma GCC unroll 3
            for (std::int64_t half = 1; half < width; half *= 2) {
                const Doubles sign = (lane & half) != 0 ? Doubles{} - 1 : Doubles{} + 1;
                v = __builtin_shuffle(v, lane ^ half) + sign * v;
            }
            vectors[k] = v;
        }
        for (std::uint32_t half = 1; half < n; half *= 2)
            for (std::uint32_t start = 0; start < n; start += 2 * half)
                for (std::uint32_t k = start; k < start + half; ++k) {
                    const Doubles x = vectors[k], y = vectors[k + half];
                    vectors[k] = x + y;
                    vectors[k + half] = x - y;
                }
    }

    // Functions f(r, l) = sum over lane masks m of (-1)^(l & m) f_m(r), one table for each m that occurs.
    struct Functions {
        int n = 0;
        V sign[lanes];
        const double* table[lanes];
    };

    template <class Chosen>
    static INLINE Functions functions(const View& view, const Layer& layer, std::uint64_t base, const double* values,
                                      double* tables, Chosen chosen) {
        const std::uint32_t n_rows = 1u << view.row_bits;
        Functions result;
        int place[lanes];
        for (int m = 0; m < lanes; ++m) place[m] = -1;
        for (std::int32_t k = layer.begin; k < layer.end; ++k) {
            const Diagonal& one = view.diagonals[k];
            if (!chosen(one)) continue;
            double* table = tables + n_rows * place[one.lane_z];
            if (place[one.lane_z] < 0) {
                place[one.lane_z] = result.n;
                table = tables + n_rows * result.n;
                for (std::uint32_t r = 0; r < n_rows; ++r) table[r] = 0;
                result.sign[result.n] = signs(one.lane_z);
                result.table[result.n++] = table;
            }
            table[one.row_z] += odd(base & one.z) ? -values[k] : values[k];
        }
        for (int m = 0; m < result.n; ++m) transform(const_cast<double*>(result.table[m]), n_rows);
        return result;
    }

    static INLINE V value(const Functions& f, std::uint32_t row) {
        V v{};
        for (int m = 0; m < f.n; ++m) v += f.sign[m] * static_cast<Real>(f.table[m][row]);
        return v;
    }

    static INLINE void multiply(V& re, V& im, V c, V s) {  // by c + i s
        const V old = re;
        re = old * c - im * s;
        im = im * c + old * s;
    }

    static INLINE V narrowed(const double* values) {
        V v;
        for (int l = 0; l < lanes; ++l) v[l] = static_cast<Real>(values[l]);
        return v;
    }

    static INLINE void sincos_of(double* angles, double* cosines, std::uint32_t n) {
        constexpr std::uint32_t step = VECTOR_BYTES / sizeof(double);
        for (std::uint32_t k = 0; k < n; k += step) {
            Doubles s, c;
            sincos(*reinterpret_cast<Doubles*>(angles + k), s, c);
            *reinterpret_cast<Doubles*>(angles + k) = s;
            *reinterpret_cast<Doubles*>(cosines + k) = c;
        }
    }

    // The phases exp(-i angle(row, lane)) of a layer, row by row.
    struct Phases {
        bool crossing;
        V lane_cosine, lane_sine;  // of what depends on the lane alone
        const double *cosine, *sine;
        Functions angle;
    };

    static INLINE Phases phases(const View& view, const Layer& layer, std::uint64_t base, const double* angles,
                                double* tables) {
        Phases result;
        const std::uint32_t n_rows = 1u << view.row_bits;
        result.crossing = layer.crossing;
        if (layer.crossing) {
            result.angle = functions(view, layer, base, angles, tables, [](const Diagonal&) { return true; });
            return result;
        }
        alignas(VECTOR_BYTES) double lane_angle[lanes] = {};
        for (std::int32_t k = layer.begin; k < layer.end; ++k) {
            const Diagonal& one = view.diagonals[k];
            if (!one.lane_z) continue;
            const double angle = odd(base & one.z) ? -angles[k] : angles[k];
            for (int l = 0; l < lanes; ++l) lane_angle[l] += odd(l & one.lane_z) ? -angle : angle;
        }
        alignas(VECTOR_BYTES) double lane_cosine[lanes];
        sincos_of(lane_angle, lane_cosine, lanes);
        result.lane_cosine = narrowed(lane_cosine);
        result.lane_sine = narrowed(lane_angle);
        for (std::uint32_t r = 0; r < n_rows; ++r) tables[r] = 0;
        for (std::int32_t k = layer.begin; k < layer.end; ++k) {
            const Diagonal& one = view.diagonals[k];
            if (!one.lane_z) tables[one.row_z] += odd(base & one.z) ? -angles[k] : angles[k];
        }
        transform(tables, n_rows);
        sincos_of(tables, tables + n_rows, n_rows);
        result.sine = tables;
        result.cosine = tables + n_rows;
        return result;
    }

    static INLINE void phase(const Phases& f, std::uint32_t row, V& c, V& s) {
        if (!f.crossing) {
            const Real rc = static_cast<Real>(f.cosine[row]), rs = static_cast<Real>(f.sine[row]);
            c = f.lane_cosine * rc - f.lane_sine * rs;
            s = f.lane_sine * rc + f.lane_cosine * rs;
            return;
        }
        alignas(VECTOR_BYTES) double angle[lanes] = {}, cosine[lanes];
        for (int m = 0; m < f.angle.n; ++m)
            for (int l = 0; l < lanes; ++l) angle[l] += f.angle.sign[m][l] * f.angle.table[m][row];
        sincos_of(angle, cosine, lanes);
        c = narrowed(cosine);
        s = narrowed(angle);
    }

    static __attribute__((noinline)) void rotate_layer(const View& view, const Layer& layer, std::uint64_t base,
                                                       const double* angles, V* tile, double* tables) {
        const Phases f = phases(view, layer, base, angles, tables);
        for (std::uint32_t r = 0; r < 1u << view.row_bits; ++r) {
            V c, s;
            phase(f, r, c, s);
            multiply(tile[2 * r], tile[2 * r + 1], c, -s);
        }
    }

    // Sums over rows and lanes, each with the sign of a diagonal; those stand in the order of row_z.
    static void project(const View& view, std::uint64_t base, std::int32_t begin, std::int32_t end, V* rows,
                        std::uint32_t n_rows, double* sums) {
        if (begin == end) return;
        if (n_rows == 1) {
            for (std::int32_t k = begin; k < end; ++k) {
                const Diagonal& one = view.diagonals[k];
                const double total = sum(rows[0] * signs(one.lane_z));
                sums[k] += odd(base & one.z) ? -total : total;
            }
            return;
        }
        const std::uint32_t half = n_rows / 2;
        std::int32_t middle = begin;
        while (middle < end && !(view.diagonals[middle].row_z & half)) ++middle;
        // The masks before the middle lack this bit; all higher bits are the same in all.
        if (middle == end) {
            for (std::uint32_t r = 0; r < half; ++r) rows[r] += rows[r + half];
        } else if (middle == begin) {
            for (std::uint32_t r = 0; r < half; ++r) rows[r + half] = rows[r] - rows[r + half];
        } else {
            for (std::uint32_t r = 0; r < half; ++r) {
                const V x = rows[r], y = rows[r + half];
                rows[r] = x + y;
                rows[r + half] = x - y;
            }
        }
        project(view, base, begin, middle, rows, half, sums);
        project(view, base, middle, end, rows + half, half, sums);
    }

    static __attribute__((noinline)) void undo_layer(const View& view, const Layer& layer, std::uint64_t base,
                                                     const double* angles, V* psi, V* lambda, double* overlaps,
                                                     double* tables, V* products) {
        const Phases f = phases(view, layer, base, angles, tables);
        const std::uint32_t n_rows = 1u << view.row_bits;
        for (std::uint32_t r = 0; r < n_rows; ++r) {
            V c, s;
            phase(f, r, c, s);
            V &a = psi[2 * r], &b = psi[2 * r + 1], &x = lambda[2 * r], &y = lambda[2 * r + 1];
            products[r] = x * b - y * a;
            multiply(a, b, c, s);
            multiply(x, y, c, s);
        }
        project(view, base, layer.begin, layer.end, products, n_rows, overlaps);
    }

    static __attribute__((noinline)) void observe_layer(const View& view, const Layer& layer, std::uint64_t base,
                                                        const double* weights, const V* psi, V* lambda,
                                                        double* tables) {
        const std::uint32_t n_rows = 1u << view.row_bits;
        const I index = exchange(layer.lanes);
        for (int imaginary = 0; imaginary < 2; ++imaginary) {
            const Functions f = functions(view, layer, base, weights, tables,
                                          [imaginary](const Diagonal& one) { return one.imaginary == imaginary; });
            if (!f.n) continue;
            for (std::uint32_t r = 0; r < n_rows; ++r) {
                const V w = value(f, r);
                const V* from = psi + 2 * (r ^ layer.partner);
                V re = from[0], im = from[1];
                if (layer.lanes) {
                    re = exchanged(re, index);
                    im = exchanged(im, index);
                }
                lambda[2 * r] = imaginary ? lambda[2 * r] - w * im : lambda[2 * r] + w * re;
                lambda[2 * r + 1] = imaginary ? lambda[2 * r + 1] + w * re : lambda[2 * r + 1] + w * im;
            }
        }
    }

    // ---- passes over one tile

    struct Scratch {
        V *psi, *lambda, *products;
        double* tables;
    };

    static Scratch parts(void* scratch, int row_bits, int states) {
        const std::size_t n_rows = std::size_t{1} << row_bits;
        V* at = static_cast<V*>(scratch);
        Scratch result{};
        result.psi = at;
        at += 2 * n_rows;
        if (states > 1) {
            result.lambda = at;
            at += 2 * n_rows;
            result.products = at;
            at += n_rows;
        }
        result.tables = reinterpret_cast<double*>(at);
        return result;
    }

    static std::size_t scratch_bytes(int row_bits, int states) {
        const std::size_t n_rows = std::size_t{1} << row_bits;
        const std::size_t tables = (lanes > 2 ? lanes : 2) * n_rows * sizeof(double);
        return (states > 1 ? 5 : 2) * n_rows * VECTOR_BYTES + tables + VECTOR_BYTES;
    }

    static void rotate(const View& view, const Place& place, const Place& next, const Real* coefficients,
                       const double* angles, Real scale, Real* state, void* scratch) {
        const Scratch s = parts(scratch, view.row_bits, 1);
        gather(view, place, scale, state, s.psi);
        Ahead ahead(view, next, state, nullptr);
        for (std::int32_t k = 0; k < view.n_operations; ++k) {
            const Operation& one = view.operations[k];
            if (one.kind == Operation::sweep)
                rotate_sweep(view, view.sweeps[one.number], place.base, reinterpret_cast<const V*>(coefficients),
                             s.psi, ahead);
            else
                rotate_layer(view, view.layers[one.number], place.base, angles, s.psi, s.tables);
        }
        scatter<false>(view, place, 1, s.psi, state, false);
    }

    static void undo(const View& view, const Place& place, const Place& next, const Real* coefficients,
                     const double* angles, Real scale, Real* psi, Real* lambda, double* overlaps, void* scratch) {
        const Scratch s = parts(scratch, view.row_bits, 2);
        V totals[most_steps + 1];
        for (std::int32_t k = 0; k < view.n_steps; ++k) totals[k] = V{};
        Place all = place;
        View whole = view;
        whole.zeros = false;
        gather(whole, all, scale, psi, s.psi);
        gather(whole, all, scale, lambda, s.lambda);
        Ahead ahead(whole, next, psi, lambda);
        for (std::int32_t k = 0; k < view.n_operations; ++k) {
            const Operation& one = view.operations[k];
            if (one.kind == Operation::sweep)
                undo_sweep(view, view.sweeps[one.number], place.base, reinterpret_cast<const V*>(coefficients), s.psi,
                           s.lambda, totals, ahead);
            else
                undo_layer(view, view.layers[one.number], place.base, angles, s.psi, s.lambda,
                           overlaps + view.n_steps, s.tables, s.products);
        }
        for (std::int32_t k = 0; k < view.n_steps; ++k) overlaps[k] += sum(totals[k]);
        scatter<false>(view, place, scale, s.psi, psi, true);
        scatter<false>(view, place, scale, s.lambda, lambda, true);
    }

    static double observe(const View& view, const Place& place, const Place& next, const Real* coefficients,
                          const double* weights, const Real* psi, Real* lambda, bool add, void* scratch) {
        const Scratch s = parts(scratch, view.row_bits, 2);
        const std::uint32_t n_rows = 1u << view.row_bits;
        gather(view, place, 1, psi, s.psi);
        Ahead ahead(view, next, psi, lambda);
        for (std::uint32_t r = 0; r < 2 * n_rows; ++r) s.lambda[r] = V{};
        for (std::int32_t k = 0; k < view.n_operations; ++k) {
            const Operation& one = view.operations[k];
            if (one.kind == Operation::sweep)
                observe_sweep(view, view.sweeps[one.number], place.base, reinterpret_cast<const V*>(coefficients),
                              s.psi, s.lambda, ahead);
            else
                observe_layer(view, view.layers[one.number], place.base, weights, s.psi, s.lambda, s.tables);
        }
        V total{};
        for (std::uint32_t r = 0; r < 2 * n_rows; ++r) total += s.psi[r] * s.lambda[r];
        if (lambda && add)
            scatter<true>(view, place, 1, s.lambda, lambda, false);
        else if (lambda)
            scatter<false>(view, place, 1, s.lambda, lambda, false);
        return sum(total);
    }

    static std::size_t multiply_add(std::size_t rounds) {
        constexpr int n = 12;  // as many as hide the latency of two units; 16 registers hold them and two factors
        V numbers[n];
        for (V& v : numbers) v = V{} + 1;
        V factor = V{} + static_cast<Real>(0.999), summand = V{} + static_cast<Real>(0.001);
        asm volatile("" : "+m"(factor), "+m"(summand));
        const V f = factor, s = summand;
        for (std::size_t k = 0; k < rounds; ++k) {
#pragma GCC unroll 12
            for (int j = 0; j < n; ++j) numbers[j] = numbers[j] * f + s;
        }
        V total{};
        for (const V& v : numbers) total += v;
        asm volatile("" ::"m"(total));
        return 2 * n * lanes;
    }

    static constexpr Kernels<Real> kernels(const char* name) {
        return {name,   lane_bits, ROTATE_BITS, PAIR_BITS, ROTATE_BITS, scratch_bytes, coefficients,
                rotate, undo,      observe,     Groups<Real>::multiply,
                Groups<Real>::outer, multiply_add};
    }
};

}  // namespace
}  // namespace native
