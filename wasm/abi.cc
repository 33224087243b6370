// The areas of abi.h, and the exports by which JavaScript reaches them.
#include "abi.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/map.h"

namespace skerry::abi {
namespace {

// The input area is never smaller than this. A larger area is freed by the next sk_buffer that
// needs no more than this, a larger output by the next EmptyOutput.
constexpr size_t kSmallBuffer = 64u << 10;
std::string& InputArea() {
  static std::string area;
  return area;
}
std::string& OutputArea() {
  static std::string area;
  return area;
}

// The memory that sk_alloc allocated and that was not adopted yet, by its address.
Map<const char*, SharedBytes>& Allocated() {
  static Map<const char*, SharedBytes> allocated;
  return allocated;
}

}  // namespace

std::string_view Input(int32_t length) {
  const std::string& area = InputArea();
  if (length < 0 || static_cast<size_t>(length) > area.size()) return {};
  return std::string_view(area).substr(0, static_cast<size_t>(length));
}

std::string& EmptyOutput() {
  std::string& out = OutputArea();
  if (out.capacity() > kSmallBuffer) out = std::string();
  out.clear();
  return out;
}

int32_t Output(std::string bytes) {
  OutputArea() = std::move(bytes);
  return 0;
}

int32_t OutputData(const Data& data) {
  EncodeData(data, &EmptyOutput());
  return 0;
}

int32_t Fail(const Status& status) {
  OutputArea() = status.detail();
  return -static_cast<int32_t>(status.code());
}

int32_t Done(const Status& status) { return status.ok() ? 0 : Fail(status); }

SharedBytes Adopt(const char* address) {
  const auto at = Allocated().find(address);
  SKERRY_CHECK(at != Allocated().end());
  SharedBytes bytes = std::move(at->second);
  Allocated().erase(at);
  return bytes;
}

}  // namespace skerry::abi

namespace abi = skerry::abi;

SKERRY_EXPORT uint8_t* sk_buffer(int32_t length) {
  std::string& area = abi::InputArea();
  const size_t wanted = length < 0 ? 0 : static_cast<size_t>(length);
  if (wanted <= abi::kSmallBuffer && area.size() > abi::kSmallBuffer) area = std::string();
  if (wanted > area.size() || area.empty()) area.resize(std::max(wanted, abi::kSmallBuffer));
  return reinterpret_cast<uint8_t*>(area.data());
}

SKERRY_EXPORT const uint8_t* sk_out() {
  return reinterpret_cast<const uint8_t*>(abi::OutputArea().data());
}
SKERRY_EXPORT int32_t sk_out_len() { return static_cast<int32_t>(abi::OutputArea().size()); }
SKERRY_EXPORT char* sk_alloc(int32_t length) {
  auto bytes = skerry::SharedBytes::Uninitialized(static_cast<size_t>(length));
  char* const address = bytes.data();
  abi::Allocated().emplace(address, std::move(bytes));
  return address;
}
SKERRY_EXPORT void sk_free(char* address) { abi::Adopt(address); }
