// Pending: a mutation that this window shows, and that no log has confirmed yet. PendingList: all
// of them, in the order in which they are folded: those with a key of the store `mutations` by key;
// then this window's own ones that have no key yet, in the order in which they were made.
#ifndef SKERRY_CLIENT_PENDING_H_
#define SKERRY_CLIENT_PENDING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"

namespace skerry {

struct Pending {
  Mutation mutation;
  std::string before;   // what it changed from (log/rows_before.h), if it was made here
  uint64_t key = 0;     // 0: not durable yet
  uint64_t serial = 0;  // order among those without a key
  // Without a key: it may be stored all the same, and the records that would say so are gone. So it
  // is never withdrawn. If the log has it, the server says so.
  bool may_be_logged = false;
  bool held = false;       // as in its record (log/mutation_record.h)
  uint64_t judged_by = 0;  // the version of the schema by whose rules it was judged; 0: by none
  Vector<std::string> confirmed_realms;  // sorted; base already has its ops of these realms

  bool IsLive(const Op& op) const;  // whether the op must still be folded over base
};

// Whether `a` comes before `b` in the order of folding.
bool FoldsBefore(const Pending& a, const Pending& b);

class PendingList {
 public:
  Pending* Add(std::unique_ptr<Pending> pending);  // REQUIRES: no other one has its id
  Pending* Find(std::string_view id) const;        // null if there is none
  bool HasKey(uint64_t key) const { return keyed_.contains(key); }
  void SetKey(Pending* pending, uint64_t key);
  std::unique_ptr<Pending> Remove(std::string_view id);  // null if there is none

  // Rises with each change of what is to be judged.
  uint64_t version() const { return version_; }
  void SetHeld(Pending* pending, bool held, uint64_t judged_by) {
    ++version_;
    saw_held_ = saw_held_ || held;
    pending->held = held;
    pending->judged_by = judged_by;
  }
  bool saw_held() const { return saw_held_; }  // one was held, by SetHeld
  size_t size() const { return by_id_.size(); }
  size_t unkeyed_count() const { return unkeyed_.size(); }
  Vector<Pending*> InOrder() const;
  Vector<Pending*> Keyed() const;
  Vector<Pending*> Unkeyed() const;
  // REQUIRES: it has no key.
  bool IsFirstUnkeyed(const Pending& pending) const {
    return unkeyed_.begin()->first == pending.serial;
  }
  const Pending* First() const;  // null if there is none
  // Of all that were ever here, also of those that are confirmed by now.
  uint64_t highest_seen() const { return highest_seen_; }
  uint64_t HighestKey() const { return keyed_.empty() ? 0 : keyed_.rbegin()->first; }

 private:
  Map<std::string, std::unique_ptr<Pending>> by_id_;
  Map<uint64_t, Pending*> keyed_;
  Map<uint64_t, Pending*> unkeyed_;
  uint64_t highest_seen_ = 0;
  uint64_t version_ = 0;
  bool saw_held_ = false;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_PENDING_H_
