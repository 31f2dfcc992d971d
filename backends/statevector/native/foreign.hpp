// Handlers that XLA calls for programs inside functions that it compiled.
#pragma once

namespace native {

// As XLA registers them: of the values alone, and of the values and slopes.
void* values_handler();
void* slopes_handler();

}  // namespace native
