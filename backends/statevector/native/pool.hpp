// Threads that share the chunks of one job after the other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace native {

// What is done for one chunk, by one of the workers.
using Work = std::function<void(std::size_t chunk, int worker)>;

class Pool {
public:
    // The pool of this process with so many workers, the caller included.
    static Pool& shared(int workers);

    // Do all chunks; returns when all are done. A second caller at the same time works alone, as worker 0.
    void run(std::size_t chunks, const Work& work);

    int workers() const { return 1 + static_cast<int>(threads_.size()); }

    explicit Pool(int workers);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

private:
    void serve(int worker);
    void share(const Work& work, int worker);

    std::mutex busy_;
    std::mutex mutex_;
    std::condition_variable begun_, ended_;
    int working_ = 0;
    bool closing_ = false;
    const Work* work_ = nullptr;
    std::size_t chunks_ = 0;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> announced_{0};
    std::vector<std::thread> threads_;
};

}  // namespace native
