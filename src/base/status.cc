#include "base/status.h"

#include <cstdio>
#include <cstdlib>

namespace skerry {

struct Status::Failure {
  Code code;
  std::string detail;
};

Status::Status(Code code, std::string detail) : failure_(new Failure{code, std::move(detail)}) {
  SKERRY_CHECK(code != Code::kOk);
}
Status::Status(Code code, const char* detail) : Status(code, std::string(detail)) {}
Status::Status(const Status& other)
    : failure_(other.ok() ? nullptr : new Failure(*other.failure_)) {}
Status::~Status() { delete failure_; }

Status& Status::operator=(const Status& other) { return *this = Status(other); }
Status& Status::operator=(Status&& other) noexcept {
  std::swap(failure_, other.failure_);
  return *this;
}

Code Status::code() const { return ok() ? Code::kOk : failure_->code; }
const std::string& Status::detail() const {
  static const std::string kNone;
  return ok() ? kNone : failure_->detail;
}

// Every broken invariant ends here. It prints the place and ends the program. In wasm that is a
// trap: the host turns it into an error that closes the database.
void FailCheck(const char* condition, const char* file, int line) {
#ifndef __EMSCRIPTEN__
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
#else
  (void)condition, (void)file, (void)line;
#endif
  std::abort();
}

}  // namespace skerry
