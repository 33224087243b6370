#include "base/status.h"

#include <cstdio>
#include <cstdlib>

namespace skerry {

Status::Status(Code code, std::string&& detail) : code_(code), detail_(std::move(detail)) {}
Status::Status(Code code, const std::string& detail) : code_(code), detail_(detail) {}
Status::Status(Code code, const char* detail) : code_(code), detail_(detail) {}
Status::Status(const Status& other) = default;
Status::Status(Status&& other) noexcept = default;
Status& Status::operator=(const Status& other) = default;
Status& Status::operator=(Status&& other) noexcept = default;
Status::~Status() = default;

std::string operator+(const std::string& a, const char* b) { return std::string(a) + b; }
std::string operator+(const std::string& a, const std::string& b) { return std::string(a) + b; }
std::string operator+(std::string&& a, const char* b) { return std::move(a.append(b)); }
std::string operator+(std::string&& a, const std::string& b) { return std::move(a.append(b)); }
std::string operator+(std::string&& a, std::string&& b) { return std::move(a.append(b)); }
std::string operator+(const char* a, const std::string& b) { return std::string(a) + b; }
std::string operator+(const char* a, std::string&& b) { return std::string(a) + b; }

// The one hook for broken invariants: says where, and ends the program (in wasm: a trap, which the
// host turns into an error that closes the database) rather than write wrong data.
void FailCheck(const char* condition, const char* file, int line) {
#ifndef __EMSCRIPTEN__
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
#else
  (void)condition, (void)file, (void)line;
#endif
  std::abort();
}

}  // namespace skerry
