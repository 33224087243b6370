// PageFreeze: what a window does with its mutations while its page is put aside, or about to end.
// It hears of no outcome then.
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

// Which step may follow which; every change is checked against it.
bool ValidTransition(FreezeStep from, FreezeStep to);

class PageFreeze {
 public:
  // What the other windows have to be told of what was stored: nothing, to look at once, or to look
  // a while later.
  enum class Notice : uint8_t { kNone, kNow, kLater };

  bool is_frozen() const { return step_ != FreezeStep::kAwake; }
  // What has no transaction is added blindly (`keep`).
  bool is_keeping() const { return step_ == FreezeStep::kKeeping; }

  // `is_storing`: something is under way.
  void Begin(bool keeps, bool is_storing);
  void set_page_ends(bool page_ends) { page_ends_ = page_ends; }
  // A mutation is to be kept, unless it was already, or is being written. Whether it was not.
  bool Keep(const std::string& id);
  void Note(const Vector<std::string>& ids) { taken_.insert(ids.begin(), ids.end()); }
  void NoteKept() { has_kept_ = true; }
  // Nothing more can be kept. An engine drops a page that has been put aside, and what it is
  // storing, where another window would have to wait for it (Chromium): those look later.
  Notice StandStill();
  void End();

 private:
  void Move(FreezeStep to);

  FreezeStep step_ = FreezeStep::kAwake;
  Set<std::string> taken_;    // kept, or written by what was under way
  bool has_kept_ = false;     // something that others have not been told of
  bool was_storing_ = false;  // when it was frozen, likewise
  bool page_ends_ = false;    // it is not put aside
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_PAGE_FREEZE_H_
