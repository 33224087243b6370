// Mirror: keeps a window in step with storage (docs/design.md, "Windows in step"): the n that it
// has reached, the mutations that are pending, and those that are gone. It has no I/O: the tab
// (client/tab.h) passes in what it reads and hears.
//
// The rules, each of which prevents an error:
// - A record is applied if it is n + 1, ignored if it is not above n, and a gap otherwise: then the
//   window reads everything.
// - A record names mutations by id and key. It may come before the window's own completion of one
//   of them: the mutation is matched by id and confirmed once, and the completion then finds
//   nothing to do.
// - "Added" may come after the mutation is gone. The ids and keys of removed mutations are
//   remembered until the next full reading. An added mutation is ignored unless its key is above
//   the one that was removed (a retry from the inbox has the same id under a new key). For removals
//   before that reading, `goneUpTo` decides: a mutation that is missing and has a key at or below
//   it is gone for good.
// - The rows of an image fill are in the image, not in its record: unless that image was loaded,
//   the record is a gap.
// - A record may say that a mutation is partly confirmed before the window has heard of that
//   mutation: this is remembered, too.
#ifndef SKERRY_CLIENT_MIRROR_H_
#define SKERRY_CLIENT_MIRROR_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/pending.h"
#include "client/streams.h"
#include "client/view.h"
#include "log/message.h"
#include "log/mutation_record.h"
#include "log/sync_record.h"
#include "log/update_record.h"

namespace skerry {

inline constexpr size_t kMaxRememberedRemovals = 10'000;  // at more, a full reading forgets them

enum class ApplyResult : uint8_t {
  kApplied,
  kKnown,    // its n is not above the window's
  kGap,      // not continuous; nothing was applied
  kDamaged,  // cannot be decoded; nothing was applied
  kNewer,    // written by a newer version of the package; not applied
};

// The results of a full reading.
struct StoredUpdate {
  uint64_t key = 0;
  UpdateRecord record;
};
struct StoredMutation {
  Key key;
  MutationRecord record;
};
// What a window reads of an update in the outbox.
struct SentUpdate {
  Vector<std::string> confirmed;  // realms in which a pull has confirmed it
  Vector<NamedMutation> mutations;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("confirmed", self.confirmed);
    member("mutations", self.mutations);
  }
};
struct Reading {
  SyncProgress sync;
  Vector<StoredUpdate> updates;      // ascending
  Vector<StoredMutation> mutations;  // ascending
  Vector<SentUpdate> sent;
};

struct Refusal {
  std::string id;
  std::string code;  // empty: it is in the inbox
  std::string detail;
};

// The outcomes of mutations, by id; of all windows' mutations.
struct Outcomes {
  Vector<std::string> durable;
  Vector<std::string> confirmed;
  Vector<Refusal> refused;
  Vector<std::string> unknown;  // gone, but the record with the outcome was not seen
  // Own mutations that turned out to be stored, to be broadcast to the other windows.
  Vector<AddedItem> found;
};

class Mirror {
 public:
  Mirror(const Schema* schema, View* view, Streams* streams);

  uint64_t n() const { return n_; }
  const PendingList& pending() const { return pending_; }
  // The highest key of a mutation that this window knows of, also if that is gone by now.
  uint64_t HighestSeen() const { return std::max(gone_up_to_, pending_.highest_seen()); }
  const Cursors& cursors() const { return cursors_; }
  const ForgottenUpTo& forgotten() const { return forgotten_; }
  const Data& invitations() const { return invitations_; }
  uint64_t CursorRevision(const std::string& realm) const;

  // The view now has the image of this pointer (an empty pointer: no image, n = 0).
  void StartAt(const ImagePointer& pointer);
  // Whether the records of the reading continue, without a gap, from n (with the image `generation`
  // loaded) to sync.n.
  static bool Continues(uint64_t n, std::string_view generation, const Reading& reading);
  // Applies a full reading: records above n, all mutations, goneUpTo. Own mutations without a key
  // stay. `skip_damaged`: a record that cannot be decoded counts as empty, because no other copy of
  // it exists.
  ApplyResult Take(const Reading& reading, bool skip_damaged);
  ApplyResult Record(const UpdateRecord& record);
  // Like Record, for a record that this window has written itself, from View::WriteDiff, and that
  // confirms all pending mutations: the view shows it already. `appended`: its steps for streams.
  // REQUIRES: see View::ShownIsBase.
  void OwnRecord(const UpdateRecord& record, const Vector<Step>& appended);
  ApplyResult Added(const AddedItem& item);
  // An own mutation is durable under this key. Returns false if a record or a reading has already
  // reported that.
  bool Completed(std::string_view id, uint64_t key);

  // Completes own mutations without a key that turn out to be in storage. No other window was
  // notified of them yet.
  void FindStored(const Vector<StoredMutation>& mutations);
  // Completes own mutations without a key that are named by a record which is not applied yet: they
  // were stored before the window's next ones, and keep that place until the record removes them.
  void FindNamed(const Vector<StoredUpdate>& updates);

  // Adds an own mutation, which the view has already attached.
  void AddOwn(std::unique_ptr<Pending> pending);
  // Removes a pending mutation. The caller then calls View::Derive.
  void Remove(std::string_view id);

  // Whether there is a realm that was lost, and that this was not asked of yet: its rows may have to
  // be offered.
  bool TakeOffersDue() { return std::exchange(offers_due_, false); }
  // Whether the server has lost the realm, or what its log was, and not all of it was given back yet.
  bool IsLost(const std::string& realm) const { return lost_.contains(realm); }
  bool WantsReading() const { return gone_.size() + partly_.size() > kMaxRememberedRemovals; }
  Outcomes TakeOutcomes();

 private:
  ApplyResult DecodeSteps(const UpdateRecord& record, Vector<Step>* steps) const;
  bool Apply(const UpdateRecord& record, const Vector<Step>& steps);
  void TakeCursors(const UpdateRecord& record);
  void FollowStreams(const UpdateRecord& record, const Vector<Step>& steps);
  void TakeLost(const Vector<std::string>& realms);
  void RememberRemoved(const std::string& id, uint64_t key);
  void Gone(const std::string& id, uint64_t key);
  static bool NeedsOtherImage(const UpdateRecord& record, std::string_view generation);
  void SetPartly(const std::string& id, const Vector<std::string>& realms);
  void TakeHeld(const MutationRecord& record, Pending* pending);
  ApplyResult AddStored(uint64_t key, const MutationRecord& record);
  bool TakeMutations(const Vector<StoredMutation>& mutations);

  const Schema* schema_;
  View* view_;
  Streams* streams_;
  uint64_t n_ = 0;
  std::string generation_;  // of the image that was loaded
  ForgottenUpTo forgotten_;
  Cursors cursors_;
  Data invitations_;  // SyncProgress::invitations
  PendingList pending_;
  Map<std::string, uint64_t> gone_;  // removed since the last full reading: id, key
  uint64_t gone_up_to_ = 0;          // goneUpTo of the last full reading
  Map<std::string, Vector<std::string>> partly_;
  Outcomes outcomes_;
  Set<std::string> lost_;
  bool offers_due_ = false;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_MIRROR_H_
