#include "rates.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "memory.hpp"

namespace native {
namespace {

constexpr int repeats = 12;  // of which the fastest counts

template <class Job>
double fastest_s(const Job& job) {
    using Clock = std::chrono::steady_clock;
    double best = 1e300;
    for (int k = 0; k < repeats; ++k) {
        const auto start = Clock::now();
        job();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

}  // namespace

template <class Real>
double peak_flops(const Kernels<Real>& kernels, Pool& pool, Watch& watch) {
    constexpr std::size_t rounds = 20000;
    const std::size_t chunks = 16 * pool.workers();
    const double flops = static_cast<double>(chunks) * kernels.multiply_add(0) * rounds;
    return flops / fastest_s([&] { pool.run(chunks, [&](std::size_t, int) { kernels.multiply_add(rounds); }, watch); });
}

template double peak_flops(const Kernels<double>&, Pool&, Watch&);
template double peak_flops(const Kernels<float>&, Pool&, Watch&);

double copy_bytes_per_s(std::size_t bytes, Pool& pool, Watch& watch) {
    constexpr std::size_t chunks = 64;
    const Memory from(bytes), to(bytes);
    std::memset(from.as<char>(), 1, bytes);
    const double seconds = fastest_s([&] {
        const auto one = [&](std::size_t chunk, int) {
            const std::size_t begin = chunk * bytes / chunks, end = (chunk + 1) * bytes / chunks;
            std::memcpy(to.as<char>() + begin, from.as<char>() + begin, end - begin);
        };
        pool.run(chunks, one, watch);
    });
    return 2 * static_cast<double>(bytes) / seconds;
}

}  // namespace native
