// Mirror: how a window keeps in step with what storage holds (docs/design.md, "Windows in step"):
// which n it has reached, which mutations are pending, which are gone. No I/O: the tab
// (client/tab.h) tells it what it read and heard.
//
// The rules, each of which closes a hole:
// - A record is applied when it is n + 1, ignored when it is known, and is a gap otherwise: then
//   everything is read.
// - A record names mutations by id and key. It may come before the window's own completion of one
//   of them: matched by id, it is confirmed once, and the completion then finds nothing to do.
// - "Added" may come after the mutation has gone. Removed ids are remembered with their keys since
//   the last full reading. A mutation is ignored unless its key is above the one that was removed
//   (a retry from the inbox has the same id under a new key). Before that reading `goneUpTo`
//   decides: what is absent with a key at or below it is gone for good.
// - A record of an image fill has its rows in the image, not in itself: unless that image was
//   loaded it is a gap.
// - A record may say that a mutation which the window has not heard of yet is partly confirmed:
//   that is remembered too.
#ifndef SKERRY_CLIENT_MIRROR_H_
#define SKERRY_CLIENT_MIRROR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/pending.h"
#include "client/view.h"
#include "log/mutation_record.h"
#include "log/outbox_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"

namespace skerry {

inline constexpr size_t kMaxRememberedRemovals = 10'000;  // more: a full reading forgets them

enum class Fit : uint8_t {
  kApplied,
  kKnown,    // n is not above ours
  kGap,      // not continuous: nothing was applied
  kDamaged,  // does not decode: nothing was applied
  kNewer,    // written by a newer version of the package: that was not applied
};

// What a transaction read.
struct StoredUpdate {
  uint64_t key = 0;
  UpdateRecord record;
};
struct StoredMutation {
  Key key;
  MutationRecord record;
};
struct Reading {
  SyncRecord sync;
  Vector<StoredUpdate> updates;      // ascending
  Vector<StoredMutation> mutations;  // ascending
  Vector<OutboxRecord> outbox;
};

struct Refusal {
  std::string id;
  std::string code;  // empty: the inbox has it
  std::string detail;
};

// What became of mutations, by id; of all windows'.
struct Told {
  Vector<std::string> durable;
  Vector<std::string> confirmed;
  Vector<Refusal> refused;
  Vector<std::string> unknown;     // gone, but the record that says how was not seen
  Data found = Data::MakeArray();  // own ones that turned out to be stored: {id, key, record}, for
                                   // others to hear
};

class Mirror {
 public:
  Mirror(const Schema* schema, View* view);

  uint64_t n() const { return n_; }
  const PendingList& pending() const { return pending_; }
  const Cursors& cursors() const { return cursors_; }
  uint64_t CursorRevision(const std::string& realm) const;

  // The view holds what this pointer names (nothing: an empty pointer, n = 0).
  void StartAt(const ImagePointer& pointer);
  // Do the records that were read continue a state at n, which began with this image, without a
  // gap, up to sync.n?
  static bool Continues(uint64_t n, std::string_view generation, const Reading& reading);
  // One full reading: records above n, all mutations, goneUpTo. Own mutations without a key stay.
  // `skip_damaged`: a record that does not decode counts as empty, because there is nothing else to
  // go by.
  Fit Take(const Reading& reading, bool skip_damaged);
  Fit Record(const UpdateRecord& record);
  // The same for a record that this window wrote itself, of View::WriteDiff, and that confirms all
  // that is pending: the view shows it already. REQUIRES: as View::ShownIsBase.
  void OwnRecord(const UpdateRecord& record);
  // `item`: {id, key, record} of a broadcast "added".
  Fit Added(const Data& item);
  // An own mutation is durable under this key. False where a record or a reading has told already.
  bool Completed(std::string_view id, uint64_t key);

  // Own mutations without a key that are in storage after all: nobody was told of them yet.
  void FindStored(const Vector<StoredMutation>& mutations);
  // Own mutations without a key that a record names which is not applied yet: they were stored
  // before those that come next, and keep that place until the record removes them.
  void FindNamed(const Vector<StoredUpdate>& updates);

  // An own mutation that the view has attached already.
  void AddOwn(std::unique_ptr<Pending> pending);
  // Takes a pending mutation away; the view is to be derived after.
  void Remove(std::string_view id);

  bool WantsReading() const { return gone_.size() + partly_.size() > kMaxRememberedRemovals; }
  Told TakeTold();

 private:
  Fit DecodeSteps(const UpdateRecord& record, Vector<Step>* steps) const;
  bool Apply(const UpdateRecord& record, const Vector<Step>& steps);
  void TakeCursors(const UpdateRecord& record);
  void RememberGone(const std::string& id, uint64_t key);
  void Gone(const std::string& id, uint64_t key);
  static bool NeedsOtherImage(const UpdateRecord& record, std::string_view generation);
  void SetPartly(const std::string& id, const Vector<std::string>& realms);
  Fit AddStored(uint64_t key, const MutationRecord& record);
  bool TakeMutations(const Vector<StoredMutation>& mutations);

  const Schema* schema_;
  View* view_;
  uint64_t n_ = 0;
  std::string generation_;  // of the image that was loaded
  Cursors cursors_;
  PendingList pending_;
  Map<std::string, uint64_t> gone_;  // removed since the last full reading: id, key
  uint64_t gone_up_to_ = 0;          // as of the last full reading
  Map<std::string, Vector<std::string>> partly_;
  Told told_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_MIRROR_H_
