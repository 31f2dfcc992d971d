// Memory of states.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace native {

struct OutOfMemory : std::bad_alloc {
    explicit OutOfMemory(std::size_t bytes) : bytes(bytes) {}

    std::size_t bytes;
};

// Memory that nothing was written to yet, at the boundary of a page: the thread that first writes to a page decides on
// which node of the machine it lies.
class Memory {
public:
    Memory() = default;
    explicit Memory(std::size_t bytes) : data_(std::aligned_alloc(page, (bytes / page + 1) * page)) {
        if (!data_) throw OutOfMemory(bytes);
    }
    ~Memory() { std::free(data_); }
    Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    Memory& operator=(Memory&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }

    template <class T>
    T* as() const {
        return static_cast<T*>(data_);
    }

    // Hand it on to an owner that frees it.
    void* release() { return std::exchange(data_, nullptr); }

private:
    static constexpr std::size_t page = 4096;
    void* data_ = nullptr;
};

}  // namespace native
