// Status and Result: how the core reports bad input. The core is built without exceptions. A Status
// carries a stable code and a sentence for people. A broken invariant of the core itself is not
// reported by a Status: SKERRY_CHECK ends the program, because going on would write wrong data.
#ifndef SKERRY_BASE_STATUS_H_
#define SKERRY_BASE_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/relocatable.h"

namespace skerry {

// Numbers are stable: they cross the wasm boundary, and JavaScript maps them to its error classes.
// Never reuse one.
enum class Code : uint16_t {
  kOk = 0,
  kInvalidArgument = 1,  // malformed call or message: ValidationError
  kSchema = 2,           // the schema itself is wrong: SchemaError
  kUnknownTable = 3,     // SchemaError
  kUnknownProp = 4,      // SchemaError
  kWrongType = 5,        // a value does not fit its prop: ValidationError
  kMissingProp = 6,      // a required prop is absent or null: ValidationError
  kInvalidId = 7,        // malformed object id: ValidationError
  kLimit = 8,            // past a limit of limits.h: LimitError
  kNotFound = 9,         // NotFoundError
  kCorrupt = 10,         // damaged bytes, checksum mismatch: CorruptImageError
  kVersion = 11,      // format or schema version that this build does not read: UpdateNeededError
  kReadOnly = 12,     // ReadOnlyError
  kClosed = 13,       // ClosedError
  kConflict = 14,     // rejected by a rule (unique, restrict, rights): ConflictError
  kParse = 15,        // text or bytes that do not parse: ValidationError
  kUnsupported = 16,  // UnsupportedError
  kOutcomeUnknown = 17,  // what was known of it is forgotten: ConflictError
  kUnique = 18,          // another row has the value of a unique prop: ConflictError
  kLastOwner = 19,       // a realm with members would be left without an owner: ValidationError
};

// With clang a Status is passed and returned in a register. This makes the called function, not its
// caller, destroy an argument that is passed by value.
#ifdef __clang__
#define SKERRY_IN_REGISTER [[clang::trivial_abi]]
#else
#define SKERRY_IN_REGISTER
#endif

// A pointer, null on success: ok() is one comparison, and a Status fits into a register.
class [[nodiscard]] SKERRY_IN_REGISTER Status {
 public:
  // Constructors and the destructor are out of line: inlined at every check, they would be a large
  // part of the module.
  Status() = default;
  // REQUIRES: code is not kOk.
  Status(Code code, std::string detail);
  Status(Code code, const char* detail);
  Status(const Status& other);
  Status(Status&& other) noexcept : failure_(std::exchange(other.failure_, nullptr)) {}
  Status& operator=(const Status& other);
  Status& operator=(Status&& other) noexcept;
  ~Status();
  static Status Ok() { return {}; }
  bool ok() const { return failure_ == nullptr; }
  Code code() const;
  const std::string& detail() const;  // empty on success

 private:
  struct Failure;
  Failure* failure_ = nullptr;
};
template <>
inline constexpr bool kRelocatable<Status> = true;

[[noreturn]] void FailCheck(const char* condition, const char* file, int line);

#define SKERRY_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::skerry::FailCheck(#condition, __FILE__, __LINE__))

// Either a value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    SKERRY_CHECK(!status_.ok());
  }
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  // REQUIRES: ok().
  T& value() {
    SKERRY_CHECK(ok());
    return *value_;
  }
  const T& value() const {
    SKERRY_CHECK(ok());
    return *value_;
  }

 private:
  std::optional<T> value_;
  Status status_;
};

// Evaluates a Status, and returns it from the enclosing function if it is a failure.
#define SKERRY_RETURN_IF_ERROR(expression)                                      \
  do {                                                                          \
    if (::skerry::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

}  // namespace skerry

#endif  // SKERRY_BASE_STATUS_H_
