// What this client has appended to streams of a realm whose log a restored server has lost (docs/design.md,
// "Another history"). It is appended again, before anything that is pending: each action under its own id, so that
// a log that has it after all names it as known.
#ifndef SKERRY_CLIENT_LOST_APPENDS_H_
#define SKERRY_CLIENT_LOST_APPENDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/lost_changes.h"
#include "log/op.h"

namespace skerry {

// One request has no more.
inline constexpr size_t kMaxAppendsAtOnce = 200;
inline constexpr size_t kMaxAppendedBytes = 512 << 10;

// An action of this client, and how it appends to streams of one realm, at this revision.
struct OwnAppend {
  Action action;
  Vector<Op> ops;
  uint64_t revision = 0;
};

// `own`: all of the store `own`.
Vector<OwnAppend> OwnAppends(const Schema& schema, const Data& own, const std::string& realm);

class LostAppends {
 public:
  explicit LostAppends(const Schema* schema) : schema_(schema) {}

  void Begin(std::string realm, Vector<OwnAppend> appends);
  // The server has what came up to this revision.
  void LeaveOut(uint64_t common);
  bool is_done() const { return appends_.empty(); }
  // The body of a push (wire::PushRequest), of an identity that is used only once. REQUIRES: !is_done().
  std::string Ask(UuidGenerator* ids, double now);
  // Takes the answer (wire::PushAnswer): adds what the server refuses, and what it has now. Returns the cursor of the
  // entry that was written; empty if there is none.
  std::string Take(const Data& answer, NotTaken* out);

 private:
  void TakeRejections(const Data& result, NotTaken* out);
  void Refuse(std::string action, LostCause cause, NotTaken* out);
  void Remove(const std::string& action);

  const Schema* schema_;
  std::string realm_;
  uint64_t common_ = 0;
  Vector<OwnAppend> appends_;  // that are still to be appended
  size_t asked_ = 0;           // how many of them the last request has
  size_t most_ = kMaxAppendsAtOnce;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LOST_APPENDS_H_
