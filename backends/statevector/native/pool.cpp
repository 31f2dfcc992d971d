#include "pool.hpp"

#include <chrono>
#include <map>
#include <unistd.h>

namespace native {
namespace {

constexpr auto patience = std::chrono::microseconds(50);  // of a worker, before it sleeps

template <class Condition>
bool soon(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    do {
        for (int k = 0; k < 64; ++k) {
            if (condition()) return true;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

}  // namespace

Pool& Pool::shared(int workers) {
    static std::mutex mutex;
    static std::map<int, Pool*> pools;  // never ended: a process that forked has no threads to join
    static pid_t owner = 0;
    const std::lock_guard lock(mutex);
    if (owner != getpid()) pools.clear();
    owner = getpid();
    Pool*& pool = pools[workers];
    if (!pool) pool = new Pool(workers);
    return *pool;
}

Pool::Pool(int workers) {
    for (int worker = 1; worker < workers; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
}

Pool::~Pool() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        ++announced_;
    }
    begun_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Pool::run(std::size_t chunks, const Work& work) {
    std::unique_lock alone(busy_, std::try_to_lock);
    if (!alone || threads_.empty() || chunks < 2) {
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) work(chunk, 0);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        work_ = &work;
        chunks_ = chunks;
        next_ = 0;
        ++announced_;
    }
    begun_.notify_all();
    share(work, 0);
    std::unique_lock lock(mutex_);
    work_ = nullptr;  // a worker that has not begun need not
    ended_.wait(lock, [this] { return working_ == 0; });
}

void Pool::share(const Work& work, int worker) {
    for (std::size_t chunk = next_++; chunk < chunks_; chunk = next_++) work(chunk, worker);
}

void Pool::serve(int worker) {
    std::uint64_t seen = 0;
    while (true) {
        soon([&] { return announced_ != seen; });
        const Work* work = nullptr;
        {
            std::unique_lock lock(mutex_);
            begun_.wait(lock, [&] { return announced_ != seen; });
            seen = announced_;
            if (closing_) return;
            if (!work_) continue;
            work = work_;  // which the caller takes back while the last chunks are still done
            ++working_;
        }
        share(*work, worker);
        {
            const std::lock_guard lock(mutex_);
            --working_;
        }
        ended_.notify_one();
    }
}

}  // namespace native
