// PageFreeze: what a window does with its mutations while its page is frozen, or about to end.
// During that time it learns no outcome.
//
//   awake --freeze--> keeping --still--> frozen --resume--> awake
//   awake --freeze, and it is not known what is stored--> frozen
#ifndef SKERRY_CLIENT_PAGE_FREEZE_H_
#define SKERRY_CLIENT_PAGE_FREEZE_H_

#include <cstdint>
#include <string>

#include "base/map.h"
#include "base/vector.h"

namespace skerry {

enum class FreezeStep : uint8_t { kAwake, kKeeping, kFrozen };

// Every change of step is checked against this.
bool ValidTransition(FreezeStep from, FreezeStep to);

class PageFreeze {
 public:
  // How the other windows must look for what this one may have stored: not at all, at once, or
  // after a pause.
  enum class Notice : uint8_t { kNone, kNow, kLater };

  bool is_frozen() const { return step_ != FreezeStep::kAwake; }
  // Mutations that no transaction writes are added without a read first (the effect `keep`).
  bool is_keeping() const { return step_ == FreezeStep::kKeeping; }

  // `keeps`: later mutations can be kept, because it is known what is stored. `is_storing`: a
  // commit may be under way.
  void Begin(bool keeps, bool is_storing);
  void set_page_ends(bool page_ends) { page_ends_ = page_ends; }
  // Marks a mutation as kept. Returns false if it was kept already, or is being written.
  bool Keep(const std::string& id);
  void Note(const Vector<std::string>& ids) { taken_.insert(ids.begin(), ids.end()); }
  void NoteKept() { has_kept_ = true; }
  // Nothing more can be kept. An engine may discard a frozen page, and what it is storing, if
  // another window would have to wait for it (Chromium): in that case the other windows look after
  // a pause.
  Notice StandStill();
  void End();

 private:
  void Move(FreezeStep to);

  FreezeStep step_ = FreezeStep::kAwake;
  Set<std::string> taken_;    // kept, or written by a transaction that was under way
  bool has_kept_ = false;     // something was kept that the other windows were not notified of
  bool was_storing_ = false;  // a commit may have been under way at the freeze; not notified either
  bool page_ends_ = false;    // the page ends and is not frozen
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_PAGE_FREEZE_H_
