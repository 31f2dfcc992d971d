#include "foreign.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "evaluators.hpp"
#include "memory.hpp"
#include "xla/ffi/api/ffi.h"

namespace native {
namespace {

namespace ffi = xla::ffi;
using Buffer = ffi::AnyBuffer;
using Result = ffi::Result<Buffer>;

// Numbers of a buffer of either precision, as doubles.
std::vector<double> doubles(const Buffer& buffer) {
    const std::size_t n = buffer.element_count();
    if (buffer.element_type() == ffi::F32) {
        const auto* data = reinterpret_cast<const float*>(buffer.untyped_data());
        return {data, data + n};
    }
    const auto* data = reinterpret_cast<const double*>(buffer.untyped_data());
    return {data, data + n};
}

void write(const std::vector<double>& numbers, Result& result) {
    if (result->element_type() == ffi::F32)
        std::copy(numbers.begin(), numbers.end(), reinterpret_cast<float*>(result->untyped_data()));
    else
        std::copy(numbers.begin(), numbers.end(), reinterpret_cast<double*>(result->untyped_data()));
}

bool real(ffi::DataType type) { return type == ffi::F32 || type == ffi::F64; }

// All axes but the last are rows.
ffi::Error evaluate(std::int64_t number, const Buffer& angles, Result& values, Result* slopes) {
    const std::shared_ptr<const Evaluator> program = evaluator(number);
    if (!program)
        return {ffi::ErrorCode::kFailedPrecondition,
                "the native program of this function is no more: keep it, or make it anew"};
    const auto shape = angles.dimensions();
    if (shape.size() == 0 || shape.back() != static_cast<std::int64_t>(program->n_angles()))
        return {ffi::ErrorCode::kInvalidArgument,
                "the last axis of angles must have length " + std::to_string(program->n_angles())};
    if (!real(angles.element_type()) || !real((*values).element_type()) || (slopes && !real((**slopes).element_type())))
        return {ffi::ErrorCode::kInvalidArgument, "angles and results must be real numbers of 32 or 64 bits"};
    std::size_t rows = 1;
    for (std::size_t k = 0; k + 1 < shape.size(); ++k) rows *= shape[k];
    const std::size_t n_values = rows * program->n_observables(), n_slopes = n_values * program->n_angles();
    if ((*values).element_count() != n_values || (slopes && (**slopes).element_count() != n_slopes))
        return {ffi::ErrorCode::kInvalidArgument, "the shapes of the results do not fit that of angles"};
    try {
        Watch unwatched;  // the thread is XLA's: Python tells it nothing
        std::vector<double> all_values(n_values), all_slopes(slopes ? n_slopes : 0);
        program->energies(doubles(angles).data(), rows, all_values.data(), slopes ? all_slopes.data() : nullptr,
                          Pool::shared(Pool::default_workers()), unwatched);
        write(all_values, values);
        if (slopes) write(all_slopes, *slopes);
    } catch (const OutOfMemory& error) {
        return {ffi::ErrorCode::kResourceExhausted, "no memory for " + std::to_string(error.bytes) + " bytes"};
    } catch (const std::exception& error) {
        return {ffi::ErrorCode::kInternal, error.what()};
    }
    return ffi::Error::Success();
}

ffi::Error values_of(std::int64_t number, Buffer angles, Result values) {
    return evaluate(number, angles, values, nullptr);
}

ffi::Error slopes_of(std::int64_t number, Buffer angles, Result values, Result slopes) {
    return evaluate(number, angles, values, &slopes);
}

XLA_FFI_DEFINE_HANDLER(call_values, values_of,
                       ffi::Ffi::Bind().Attr<std::int64_t>("program").Arg<Buffer>().Ret<Buffer>());
XLA_FFI_DEFINE_HANDLER(call_slopes, slopes_of,
                       ffi::Ffi::Bind().Attr<std::int64_t>("program").Arg<Buffer>().Ret<Buffer>().Ret<Buffer>());

}  // namespace

void* values_handler() { return reinterpret_cast<void*>(call_values); }
void* slopes_handler() { return reinterpret_cast<void*>(call_slopes); }

}  // namespace native
