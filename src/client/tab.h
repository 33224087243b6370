// Tab: the sans-IO machine of one window (docs/window.md). It opens (pointer, image, records and
// mutations), commits the window's mutations in groups, hears what others did, reads again where it
// must, and settles promises. What the window holds is decided by Mirror and View; this class
// decides when to read and write, and is the only one that makes effects.
//
// Its states are those of three small machines, each in a file of its own: `loading.h` (the previous
// image where the first is damaged; begin again where the records do not continue it; where nothing
// can be used: reset, that is an empty image, and cursors go back), `committing.h`, `page_freeze.h`
// (what no transaction has is added blindly, and found by the reading that comes first when the
// page is back).
//
// A transaction's `read` decides what is written; what was read is applied at `done`. Between the
// two of a full reading messages wait, because what they tell may be newer than what was read.
#ifndef SKERRY_CLIENT_TAB_H_
#define SKERRY_CLIENT_TAB_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "client/committing.h"
#include "client/loading.h"
#include "client/mirror.h"
#include "client/page_freeze.h"
#include "client/promises.h"
#include "client/view.h"
#include "log/transaction_builder.h"

namespace skerry {

inline constexpr size_t kMaxUnsaved = 10'000;      // own mutations without a key: no more are taken
inline constexpr size_t kMaxHeldMessages = 1'000;  // more are dropped, and read from storage
inline constexpr double kRereadMs = 1'000;

struct TabOptions {
  std::string tab;
  bool remote = true;
  UuidGenerator* ids = nullptr;  // of the actions that a retry makes anew
};

class Tab {
 public:
  Tab(const Schema* schema, View* view, TabOptions options);

  // Appends effects. `event` is taken apart.
  void Handle(Data event, Data* effects);
  // One part of the image that was asked for by `loadImage`.
  Status LoadPart(SharedBytes bytes);

  // May a transaction begin? kClosed before the window is ready, kLimit with too many unsaved
  // mutations.
  Status CanWrite() const;
  // Takes an own mutation, which the view has attached already.
  void Commit(std::unique_ptr<Pending> pending, Data* effects);
  uint64_t NextSerial() { return ++serial_; }

  bool ready() const { return ready_; }
  double clock_offset() const { return clock_offset_; }
  const Mirror& mirror() const { return mirror_; }

 private:
  enum class Kind : uint8_t {
    kPointer,
    kCatchUp,
    kReset,
    kReading,
    kCommit,
    kLocalCommit,
    kConflicts,
    kSync,
    kResolve,
  };
  struct Tx {
    Kind kind = Kind::kSync;
    Data results;
    // kCommit, kLocalCommit: the mutations that were written; kConflicts: refused ones, whose code
    // is looked for
    Vector<std::string> ids;
    Vector<std::string> unknown;  // kConflicts: gone ones; confirmed unless the inbox has them
    Data items;  // kCommit, kResolve: for "added", keys are still missing; kLocalCommit: `logged`
    // kLocalCommit, kReset: what was written to `updates`
    std::optional<UpdateRecord> record;
    uint64_t entry = 0;  // kResolve: key of the entry
    bool retry = false;
    bool reads_first = false;  // kCommit, kLocalCommit
    bool was_read = false;
  };

  // tab.cc
  void OnResume(Data* effects);
  void OnMessage(const Data& message, Data* effects);
  void OnAdded(const Data& message, Data* effects);
  void OnPushed(const Data& message, Data* effects);
  void OnStatus(const Data& status);
  void OnFit(Fit fit, Data* effects);
  void OnScopes(const Data& event, Data* effects);
  Status CheckScope(const Data& scope) const;
  void ReleaseMessages(Data* effects);
  void TellPromises(Data* effects);
  void TellState(Data* effects);
  void TakeSync(const SyncRecord& sync, Data* effects);
  bool AllFilled() const;

  // tab_transactions.cc
  void Transact(Tx tx, std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                Data* effects);
  void Transact(Kind kind, std::initializer_list<Store> stores, Data reads, TransactionMode mode,
                Data* effects);
  void OnRead(uint64_t id, Data results, Data* effects);
  void OnDone(uint64_t id, const Data& keys, Data* effects);
  void OnFailed(uint64_t id, const Data& error, Data* effects);
  static Data OneRead(Data read);
  static Data SyncRead();  // of the record `sync` alone
  static bool IsFullReading(const Tx& tx);
  static size_t ReadCount(const Tx& tx);
  Data FullReads(uint64_t above) const;
  Reading ReadingOf(const Tx& tx) const;
  void RequestReading(Data* effects);
  void RequestConflicts(Data* effects);
  void RequestSync(Data* effects);
  void SettleGone(const Tx& tx, Data* effects);
  void TakeInbox(const Data& items, Data* effects);
  void WriteResolve(Tx* tx, Data* writes);
  void FinishResolve(const Tx& tx, const Data& keys, Data* effects);

  // tab_load.cc
  void StartLoading(Data* effects);
  void FinishPointer(const SyncRecord& sync, Data* effects);
  void LoadCandidate(Data* effects);
  void NextCandidate(Data* effects);
  void OnImageLoaded(const Data& event, Data* effects);
  void StopLoading(const Data& error, Data* effects);
  void StopAtNewer(Data* effects);
  void CatchUp(Data* effects);
  void FinishCatchUp(const Tx& tx, Data* effects);
  void WriteReset(Tx* tx, Data* writes);

  // tab_commit.cc
  void TryCommit(Data* effects);
  void WriteGroup(Tx* tx, Data* writes);
  bool FollowsOwn(const SyncRecord& sync) const;
  void WriteLocal(Tx* tx, Data* writes);
  Vector<NamedMutation> ConfirmAll(Tx* tx, SyncRecord* sync, Data* writes);
  void CommitDone(const Tx& tx, Data* effects);
  void FinishCommit(Tx* tx, const Data& keys, Data* effects);
  void TellAdded(Data items, Data* effects);
  void TellLeft(Data* effects);
  void TellStored(Data* effects);
  void Freeze(bool ends, Data* effects);
  void Keep(Data* effects);
  void StandStill(Data* effects);
  bool MayBeStoring() const;
  void FinishLocal(Tx* tx, Data* effects);
  void FailCommit(const Tx& tx, const Data& error, Data* effects);
  void Withdraw(const Vector<std::string>& ids, std::string_view code, std::string_view detail,
                Data* effects);

  const Schema* schema_;
  View* view_;
  TabOptions options_;
  Mirror mirror_;
  Promises promises_;

  double now_ = 0;
  double clock_offset_ = 0;
  uint64_t serial_ = 0;
  uint64_t next_tx_ = 1;
  Map<uint64_t, Tx> open_;          // transactions between their effect and done or failed
  uint64_t unapplied_reading_ = 0;  // the full reading that is between read and done
  Vector<Data> messages_;           // that wait for it
  bool messages_lost_ = false;

  bool ready_ = false;
  Loading loading_;
  Committing committing_;
  PageFreeze freeze_;
  bool page_may_end_ = false;  // what is stored from now on may not be told
  Data logged_;                // what workers are to be told; null: nothing

  bool reading_queued_ = false;  // a full one
  bool conflicts_queued_ = false;
  bool sync_queued_ = false;
  Data inbox_ = Data::MakeArray();
  Vector<std::string> refused_;  // own, whose code is still to be read
  Vector<std::string> unknown_;  // own, gone without a record
  bool newer_reported_ = false;

  Vector<SyncScope> scopes_;
  std::optional<double> last_synced_;
  Data last_state_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_TAB_H_
