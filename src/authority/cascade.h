// Cascade carries out the cascade rules of a step (judgement.h), beyond its own ops: children are deleted or
// move along, refs are set to null, `restrict`, the rule of the deleted parent, and touched masters
// (docs/design.md, "Cascade rules"; docs/authority.md, "Further rules").
//
// The rules are evaluated once, after all ops of the step, from the difference between the rows before
// and after it. Folding changes the order of an action's ops, so no order within a step may matter.
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

// The rejection of a move to a realm that holds another object with the id.
Rejection IdIsTaken(std::optional<uint32_t> op);

class Cascade {
 public:
  // `causes`: for every object that the ops changed, the index of the last op that changed it.
  Cascade(const Scene* scene, Map<PlacedKey, uint32_t> causes)
      : scene_(scene), causes_(std::move(causes)) {}

  // A row that another program has written before this step: all its refs count as changed, and if it is
  // not there, what refers to it is still to be visited. To be called before Run.
  void Owe(const PlacedKey& key);
  void Run();

  // Rows that were deleted because their parent was deleted or missing before this step, or lives
  // in a realm where the row may not follow it.
  const Set<PlacedKey>& orphans() const { return orphans_; }
  // Rows of which only the time changed, because a detail row changed.
  const Set<PlacedKey>& touched() const { return touched_; }
  const Vector<Rejection>& violations() const { return violations_; }
  // The op that caused the change of this row, directly or by a cascade.
  std::optional<uint32_t> CauseOf(const PlacedKey& key) const;

 private:
  class Visitor;
  // A ref that is checked after all moves and deletes.
  struct DeferredRef {
    PlacedKey child;
    PropIndex prop = kNone;
    std::string target;
    std::optional<uint32_t> cause;
  };

  void CollectOps();
  void QueueCheck(const PlacedKey& key);
  void CheckNext();
  std::optional<PlacedKey> UncheckedParent(const PlacedKey& key);
  std::optional<PlacedKey> ParentOf(const PlacedKey& key, const ObjectKey& target);
  std::optional<PlacedKey> QueuedElsewhere(const ObjectKey& target) const;
  void CheckRefs(const PlacedKey& key);
  void CheckRef(const PlacedKey& key, PropIndex prop, const ObjectKey& target);
  void DropOrphan(const PlacedKey& key, const ObjectKey& target);
  bool Follow(const PlacedKey& key, const std::string& realm);
  bool Erase(const PlacedKey& key, bool is_orphan);
  bool MoveAlong(const PlacedKey& key, const std::string& realm);
  void SetNull(const PlacedKey& key, PropIndex prop);
  void InheritCause(const PlacedKey& child, const PlacedKey& parent);
  bool Holds(const DeferredRef& ref) const;
  void NullifyRefs();
  void CheckConstraints();
  void Touch();
  void TouchMasters(const PlacedKey& key, const Row& row, std::deque<PlacedKey>* queue);
  bool IsChangedRef(const PlacedKey& key, PropIndex prop, const Row& row) const;

  const Scene* scene_;
  Map<PlacedKey, uint32_t> causes_;
  Vector<Departure> moved_, deleted_;   // their dependants are still to be visited
  std::deque<PlacedKey> to_check_;      // may name a row twice
  Set<PlacedKey> unchecked_;            // the rows of to_check_ whose refs are not checked yet
  Map<ObjectKey, std::string> queued_;  // in which realm to_check_ got the object last
  Set<PlacedKey> put_ahead_;
  Set<PlacedKey> owed_;
  Set<PlacedKey> dropped_, orphans_, touched_;
  Set<PlacedKey> moved_by_op_, moved_along_;  // under their new realms
  Vector<DeferredRef> constraints_;  // a violation if the target is not in the child's realm
  Vector<DeferredRef> nullable_;     // set to null if the target is not in the child's realm
  Vector<Rejection> violations_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CASCADE_H_
