#include "pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <pthread.h>
#include <sched.h>

namespace native {
namespace {

constexpr auto patience = std::chrono::microseconds(50);  // of who waits, before it sleeps

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

// The pools of this process. They are never ended: at its exit other threads may still use them, and after a fork there
// are no threads to join.
class Pools {
public:
    static Pools& instance() {
        static Pools* pools = new Pools;
        return *pools;
    }

    Pool& of(int workers) {
        const std::lock_guard lock(mutex_);
        Pool*& pool = pools_[workers];
        if (!pool) pool = new Pool(workers);
        return *pool;
    }

private:
    // A child process has no threads but the one that forked. It must not find the mutex held by another.
    Pools() {
        pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                       [] {
                           instance().pools_.clear();
                           instance().mutex_.unlock();
                       });
    }

    std::mutex mutex_;
    std::map<int, Pool*> pools_;
};

}  // namespace

Pool& Pool::shared(int workers) { return Pools::instance().of(workers); }

int Pool::default_workers() {
    if (const char* said = std::getenv("OMP_NUM_THREADS"))
        if (const int number = std::atoi(said); number > 0) return number;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
    return std::max(1u, std::thread::hardware_concurrency());  // a machine with more cores than the set has bits
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

void Pool::run_alone(std::size_t chunks, const Work& work, Watch& watch) {
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        if (watch.stopped()) throw Interrupted();
        work(chunk, 0);
    }
}

void Pool::run(std::size_t chunks, const Work& work, Watch& watch) {
    std::unique_lock alone(busy_, std::try_to_lock);
    if (!alone || threads_.empty() || chunks < 2) return run_alone(chunks, work, watch);
    {
        const std::lock_guard lock(mutex_);
        work_ = &work;
        chunks_ = chunks;
        next_ = 0;
        ++announced_;
    }
    begun_.notify_all();
    share(work, 0, watch);
    {
        const std::lock_guard lock(mutex_);
        work_ = nullptr;  // a worker that has not begun need not
    }
    soon([this] { return working_ == 0; });
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return working_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::share(const Work& work, int worker, Watch& watch) {
    try {
        for (std::size_t chunk = next_++; chunk < chunks_; chunk = next_++) {
            if (watch.stopped()) throw Interrupted();
            work(chunk, worker);
        }
    } catch (...) {
        next_ = chunks_;  // the others need not go on
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }
}

void Pool::serve(int worker) {
    std::uint64_t seen = 0;
    Watch unwatched;  // only the caller can ask itself
    while (true) {
        soon([&] { return announced_ != seen; });
        const Work* work;
        {
            std::unique_lock lock(mutex_);
            begun_.wait(lock, [&] { return announced_ != seen; });
            seen = announced_;
            if (closing_) return;
            work = work_;  // the caller takes it back before the last chunks are done
            if (!work) continue;
            ++working_;
        }
        share(*work, worker, unwatched);
        {
            const std::lock_guard lock(mutex_);
            --working_;
        }
        ended_.notify_one();
    }
}

}  // namespace native
