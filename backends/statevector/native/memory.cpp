#include "memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace native {
namespace {

constexpr std::size_t page = 4096, huge_page = std::size_t{1} << 21;
constexpr std::size_t most_kept = std::size_t{512} << 20;

// What was given back.
class Kept {
public:
    static Kept& instance() {
        static Kept* kept = new Kept;  // never ended: threads may outlive static objects
        return *kept;
    }

    void* take(std::size_t bytes) noexcept {
        const std::lock_guard lock(mutex_);
        for (auto it = blocks_.rbegin(); it != blocks_.rend(); ++it)
            if (it->bytes == bytes) {
                void* data = it->data;
                blocks_.erase(std::next(it).base());
                total_ -= bytes;
                return data;
            }
        return nullptr;
    }

    // Keep a block, in place of the oldest ones; false if it is too large.
    bool keep(void* data, std::size_t bytes) noexcept {
        if (bytes > most_kept / 2) return false;
        const std::lock_guard lock(mutex_);
        std::size_t n_freed = 0;
        for (; total_ + bytes > most_kept || blocks_.size() - n_freed >= most_blocks; ++n_freed) {
            total_ -= blocks_[n_freed].bytes;
            std::free(blocks_[n_freed].data);
        }
        blocks_.erase(blocks_.begin(), blocks_.begin() + n_freed);
        blocks_.push_back({data, bytes});
        total_ += bytes;
        return true;
    }

private:
    struct Block {
        void* data;
        std::size_t bytes;
    };
    static constexpr std::size_t most_blocks = 64;

    // A child process must not find the mutex held by a thread that it does not have.
    Kept() {
        blocks_.reserve(most_blocks + 1);
        pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                       [] { instance().mutex_.unlock(); });
    }

    std::mutex mutex_;
    std::vector<Block> blocks_;
    std::size_t total_ = 0;
};

}  // namespace

Memory::Memory(std::size_t bytes) {
    const std::size_t unit = bytes < huge_page ? page : huge_page;
    bytes_ = (bytes / unit + 1) * unit;
    data_ = Kept::instance().take(bytes_);
    if (data_) return;
    data_ = std::aligned_alloc(unit, bytes_);
    if (!data_) throw OutOfMemory(bytes);
#if defined(MADV_HUGEPAGE)
    if (unit == huge_page) madvise(data_, bytes_, MADV_HUGEPAGE);  // advice: it may be left unheeded
#endif
}

void Memory::give_back() noexcept {
    if (data_ && !Kept::instance().keep(data_, bytes_)) std::free(data_);
}

}  // namespace native
