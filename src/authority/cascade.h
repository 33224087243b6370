// Cascade carries out the cascade rules of an update, beyond its own ops: children are deleted or
// move along, refs are set to null, `restrict`, the rule of the deleted parent, and touched masters
// (docs/design.md, "Cascade rules"; docs/authority.md, "Further rules").
//
// The rules are evaluated once, after all ops of the update, from the difference between the rows
// before and after it. Folding changes the order of ops, so no order within the update may matter.
#ifndef SKERRY_AUTHORITY_CASCADE_H_
#define SKERRY_AUTHORITY_CASCADE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "authority/result.h"
#include "authority/scene.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/ref_closure.h"

namespace skerry {

class Cascade {
 public:
  // `causes`: for every object that the ops changed, the index of the last op that changed it.
  Cascade(const Scene* scene, Map<ObjectKey, uint32_t> causes)
      : scene_(scene), causes_(std::move(causes)) {}

  void Run();

  // Rows that were deleted because their parent was deleted or missing before this update, or lives
  // in a realm where the row may not follow it.
  const Set<ObjectKey>& orphans() const { return orphans_; }
  // Rows of which only the time changed, because a detail row changed.
  const Set<ObjectKey>& touched() const { return touched_; }
  const Vector<Rejection>& violations() const { return violations_; }
  // The op that caused the change of this row, directly or by a cascade.
  std::optional<uint32_t> CauseOf(const ObjectKey& key) const;

 private:
  class Visitor;
  // A ref that is checked after all moves and deletes.
  struct DeferredRef {
    ObjectKey child;
    PropIndex prop = kNone;
    std::string target;
    std::optional<uint32_t> cause;
  };

  void CollectOps();
  void QueueCheck(const ObjectKey& key);
  void CheckNext();
  std::optional<ObjectKey> UncheckedParent(const ObjectKey& key);
  void CheckRefs(const ObjectKey& key);
  void CheckRef(const ObjectKey& key, PropIndex prop, const ObjectKey& target);
  void DropOrphan(const ObjectKey& key, const ObjectKey& target);
  bool Follow(const ObjectKey& key, const std::string& realm);
  bool Erase(const ObjectKey& key, bool is_orphan);
  bool MoveAlong(const ObjectKey& key, const std::string& realm);
  void SetNull(const ObjectKey& key, PropIndex prop);
  void InheritCause(const ObjectKey& child, const ObjectKey& parent);
  bool Holds(const DeferredRef& ref) const;
  void NullifyRefs();
  void CheckConstraints();
  void Touch();
  void TouchMasters(const ObjectKey& key, const Row& row, std::deque<ObjectKey>* queue);
  bool IsChangedRef(const ObjectKey& key, PropIndex prop, const Row& row) const;

  const Scene* scene_;
  Map<ObjectKey, uint32_t> causes_;
  Vector<Departure> moved_, deleted_;  // their dependants are still to be visited
  std::deque<ObjectKey> to_check_;     // may name a row twice
  Set<ObjectKey> unchecked_;           // the rows of to_check_ whose refs are not checked yet
  Set<ObjectKey> put_ahead_;
  Set<ObjectKey> dropped_, orphans_, moved_by_op_, moved_along_, touched_;
  Vector<DeferredRef> constraints_;  // a violation if the target is not in the child's realm
  Vector<DeferredRef> nullable_;     // set to null if the target is not in the child's realm
  Vector<Rejection> violations_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CASCADE_H_
