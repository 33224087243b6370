// The shared buffers of the raw exports of a wasm module (docs/internals.md, section 7). All
// modules but the server's use them. Arguments come in through the area that sk_buffer returned, or
// in memory that sk_alloc allocated; results go out through sk_out. There is no logic here.
#ifndef SKERRY_WASM_ABI_H_
#define SKERRY_WASM_ABI_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/data.h"
#include "base/map.h"
#include "base/status.h"

// A raw export: the linker keeps it, and JavaScript can call it by its name.
#define SKERRY_EXPORT extern "C" __attribute__((used, visibility("default")))

namespace skerry::abi {

// The first `length` bytes of the input area; valid until the next sk_buffer. Empty if the area is
// shorter than `length`.
std::string_view Input(int32_t length);

// Sets the output of this call; returns 0.
int32_t Output(std::string bytes);
int32_t OutputData(const Data& data);
// Clears the output of this call, and returns it for the caller to write to.
std::string& EmptyOutput();

// Sets the detail as the output and returns -(code), as a failed call must.
int32_t Fail(const Status& status);

// Returns 0 if the status is ok, else Fail(status).
int32_t Done(const Status& status);

// Takes over the memory that sk_alloc allocated at this address. The caller owns it from then on.
// REQUIRES: `address` is from sk_alloc, and was not adopted or freed before.
SharedBytes Adopt(const char* address);

// The objects of a module, by the small numbers that JavaScript holds; 0 is none.
template <typename T>
class Handles {
 public:
  int32_t Add(std::unique_ptr<T> object) {
    objects_.emplace(++last_, std::move(object));
    return last_;
  }
  // The handle of what `create` makes of the Data in `bytes`, or a failed call.
  int32_t AddMade(std::string_view bytes, Result<std::unique_ptr<T>> (*create)(Data data)) {
    Result<Data> data = DecodeData(bytes);
    if (!data.ok()) return Fail(data.status());
    Result<std::unique_ptr<T>> made = create(std::move(data.value()));
    return made.ok() ? Add(std::move(made.value())) : Fail(made.status());
  }
  int32_t Remove(int32_t handle) {
    objects_.erase(handle);
    return 0;
  }

  // The result of `call`, or a failed call if there is no such object.
  template <typename F>
  int32_t With(int32_t handle, F call) {
    const auto it = objects_.find(handle);
    if (it == objects_.end()) return Fail({Code::kClosed, "no such handle"});
    return call(it->second.get());
  }
  // The same with the Data in `bytes`.
  template <typename F>
  int32_t WithData(int32_t handle, std::string_view bytes, F call) {
    return With(handle, [&](T* object) {
      Result<Data> input = DecodeData(bytes);
      return input.ok() ? call(object, std::move(input.value())) : Fail(input.status());
    });
  }
  template <typename F>
  int32_t WithData(int32_t handle, int32_t length, F call) {
    return WithData(handle, Input(length), call);
  }

 private:
  Map<int32_t, std::unique_ptr<T>> objects_;
  int32_t last_ = 0;
};

}  // namespace skerry::abi

#endif  // SKERRY_WASM_ABI_H_
