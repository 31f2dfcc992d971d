// Memory of states.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace native {

struct OutOfMemory : std::bad_alloc {
    explicit OutOfMemory(std::size_t bytes) : bytes(bytes) {}

    std::size_t bytes;
};

// Memory at the boundary of a page, of which nothing is known. What is given back is kept for the next that asks for as
// much, up to a limit: the system takes as long to hand out a page as a circuit of some gates to run on it.
class Memory {
public:
    Memory() = default;
    explicit Memory(std::size_t bytes);
    ~Memory() { give_back(); }
    Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
    Memory& operator=(Memory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    template <class T>
    T* as() const {
        return static_cast<T*>(data_);
    }

    // Hand it on to an owner that frees it.
    void* release() { return std::exchange(data_, nullptr); }

private:
    void give_back() noexcept;

    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace native
