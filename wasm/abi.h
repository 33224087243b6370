// The shared buffers of the raw exports of a wasm module (docs/internals.md, section 7), for all
// modules but the server's; every unit with exports uses them. All bytes come in through the area
// that sk_buffer returned and go out through sk_out; nothing here decides anything.
#ifndef SKERRY_WASM_ABI_H_
#define SKERRY_WASM_ABI_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/data.h"
#include "base/status.h"

// Raw exports: kept by the linker, callable as Module._name.
#define SKERRY_EXPORT extern "C" __attribute__((used, visibility("default")))

namespace skerry::abi {

// The first `length` bytes of the input area; valid until the next sk_buffer. Empty where length is
// past the area.
std::string_view Input(int32_t length);

// Makes bytes the output of this call; returns 0.
int32_t Output(std::string bytes);
int32_t OutputData(const Data& data);
// The output of this call, for who writes it himself.
std::string& EmptyOutput();

// Makes the detail the output and returns -(code), as a failed call must.
int32_t Fail(const Status& status);

// 0, or a failed call.
int32_t Done(const Status& status);

// The bytes that sk_alloc allocated at this address, which are the caller's from here on.
SharedBytes Adopt(const char* address);

}  // namespace skerry::abi

#endif  // SKERRY_WASM_ABI_H_
