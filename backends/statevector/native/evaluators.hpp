// Programs by number, for callers that can keep nothing else of them: XLA keeps the attributes of a call.
#pragma once

#include <cstdint>
#include <memory>

#include "program.hpp"

namespace native {

// A number that no other program of this process has.
std::int64_t enter(const std::shared_ptr<const Evaluator>& program);

// The program of a number; nothing, if it is no more.
std::shared_ptr<const Evaluator> evaluator(std::int64_t number);

}  // namespace native
