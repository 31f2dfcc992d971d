// Threads that share the chunks of one job after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace native {

// What is done for one chunk, by one of the workers.
using Work = std::function<void(std::size_t chunk, int worker)>;

// Thrown to the caller of a job that it does not want any more.
struct Interrupted {};

// Asks the caller of a job, a few times a second, whether it is to stop.
class Watch {
public:
    explicit Watch(bool (*stop)() = nullptr) : stop_(stop), next_(Clock::now() + interval) {}

    bool stopped() {
        if (!stop_) return false;
        const Clock::time_point now = Clock::now();
        if (now < next_) return false;
        next_ = now + interval;
        return stop_();
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto interval = std::chrono::milliseconds(100);
    bool (*stop_)();
    Clock::time_point next_;
};

class Pool {
public:
    // The pool of this process with so many workers, the caller included.
    static Pool& shared(int workers);

    // OMP_NUM_THREADS, or else the cores that this process may use.
    static int default_workers();

    // Do all chunks; returns when all are done. A second caller at the same time works alone, as worker 0.
    // Throws what the work throws, or Interrupted if the watch says stop, after the chunks that were begun.
    void run(std::size_t chunks, const Work& work, Watch& watch);

    // The same by the calling thread, as worker 0.
    static void run_alone(std::size_t chunks, const Work& work, Watch& watch);

    int workers() const { return 1 + static_cast<int>(threads_.size()); }

    explicit Pool(int workers);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

private:
    void serve(int worker);
    void share(const Work& work, int worker, Watch& watch);

    std::mutex busy_;
    std::mutex mutex_;
    std::condition_variable begun_, ended_;
    std::atomic<int> working_{0};
    bool closing_ = false;
    const Work* work_ = nullptr;
    std::size_t chunks_ = 0;
    std::exception_ptr failure_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> announced_{0};
    std::vector<std::thread> threads_;
};

// Who does a job.
struct Crew {
    Pool* pool;  // or the calling thread alone, if there is none
    Watch& watch;

    int workers() const { return pool ? pool->workers() : 1; }

    void run(std::size_t chunks, const Work& work) const {
        if (pool)
            pool->run(chunks, work, watch);
        else
            Pool::run_alone(chunks, work, watch);
    }
};

}  // namespace native
