// The transactions of a window (docs/internals.md, section 4): one struct for each kind, with what
// it needs until it has ended. Tab has three handlers for each kind: Read (what is written, or read
// in another round), Done, and Failed.
//
// To add a kind: its struct, its place in TabTx, and its handlers (tab.h). Without one of them it
// does not compile.
#ifndef SKERRY_CLIENT_TAB_TX_H_
#define SKERRY_CLIENT_TAB_TX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/event.h"
#include "client/mirror.h"
#include "client/offers.h"
#include "client/streams.h"
#include "log/conflict_record.h"
#include "log/message.h"
#include "log/mutation_record.h"
#include "log/record.h"
#include "log/stream_action.h"
#include "log/update_record.h"

namespace skerry {

// What a `read` leads to.
struct TxReply {
  Data writes = Data::MakeArray();
  Data more;  // another round of reads, instead of writes
  bool abort = false;
};

// What all kinds have. `kReads`: with fewer results a `read` is refused.
struct Tx {
  static constexpr size_t kReads = 1;
  size_t least_results = 0;
  bool was_read = false;  // its last round: what it writes may be stored
  // From its `read` on, messages wait until what was read is applied: they may be newer than that.
  bool holds_messages = false;
};

// Reads all that is newer than the window.
struct FullReadingTx : Tx {
  static constexpr size_t kReads = 4;
  Data results;

  FullReadingTx() { holds_messages = true; }
  Reading reading() const;
};

// Loading (tab_load.cc): the pointer, what came after the image, and an empty image instead.
struct PointerTx : Tx {
  Data results;
};
struct CatchUpTx : FullReadingTx {
  static constexpr size_t kReads = 5;
};
struct ResetTx : Tx {
  std::optional<UpdateRecord> record;  // that was written
};

// Reads again (tab_transactions.cc): everything, or the record `sync`.
struct ReadingTx : FullReadingTx {};
struct SyncTx : Tx {
  Data results;
};

// Commits a group of mutations (tab_commit.cc), with a remote and without one.
struct GroupTx : FullReadingTx {
  bool reads_first = false;
  Vector<std::string> ids;  // of the mutations that were written
};
struct CommitTx : GroupTx {
  static constexpr size_t kReads = 0;
  Vector<AddedItem> added;  // without their keys, which are not known yet
};
struct LocalCommitTx : GroupTx {
  static constexpr size_t kReads = 1;  // a second round may read the rest
  std::optional<UpdateRecord> record;  // that was written
  LoggedMessage logged;
  Vector<Step> appended;  // the record's steps for streams
};

// Reads the inbox (tab_inbox.cc).
struct ConflictsTx : Tx {
  Data results;
  Vector<std::string> refused;  // mutations whose code must still be read
  Vector<std::string> unknown;  // mutations that are gone; confirmed unless the inbox has them
};
struct StoredConflict {
  Key key;
  ConflictRecord record;
};
// A mutation that is made in place of one in the inbox.
struct Amendment {
  Mutation mutation;
  std::string before;  // of EncodeRowsBefore
};
// Takes an entry out of the inbox.
struct ResolveTx : Tx {
  uint64_t entry = 0;  // its key
  Resolution how = Resolution::kDiscard;
  Vector<std::string> theirs;          // of kTake
  std::optional<Amendment> amendment;  // made instead, whatever `how` says
  Data results;
  std::optional<Refusal> refusal;  // why nothing of it is made again
  Set<uint64_t> resolved;          // the keys of the entries that go
  Set<std::string> settled;        // mutations that are made again, or that others are made for
  Set<std::pair<std::string, std::string>> wholes;  // mutation and code of those entries
  Vector<AddedItem> added;                          // without their keys

  void Settle(const StoredConflict& stored) {
    resolved.insert(stored.key.number());
    settled.insert(stored.record.mutation.id);
    if (!stored.record.part.value_or(false))
      wholes.emplace(stored.record.mutation.id, stored.record.code);
  }
};

// Stores which pending mutations are held (tab_validation.cc).
struct JudgeTx : Tx {
  Map<std::string, bool> held;  // by the mutation's id
  JudgedAt at;
  bool frees = false;          // one of them may be pushed from now on
  bool was_overruled = false;  // another window has judged over more
};

// Gives the rows of lost realms back (tab_offers.cc).
struct OffersTx : Tx {
  bool settles = false;          // a realm has been decided about
  bool lacks = false;            // a record that storage has
  bool gives = false;            // mutations were written
  std::optional<NotTaken> done;  // of the realm whose rows were offered
  bool tells = false;            // entries of the inbox were written
  std::string realm, cursor;     // whose rows are to be offered next; empty: none
  std::string client;
  Offering::Own own;  // in that realm
};

// Begins a comparison with the server (tab_compare.cc), and stores what it has found to differ.
struct CompareTx : Tx {
  bool if_due = false;
  bool claims = false;  // it notes the time, so that no other window begins
  bool begins = false;
  std::string client;
  SyncProgress sync;
};
struct MendTx : Tx {
  uint64_t n = 0;  // to which the steps belong
  Vector<Step> steps;
  bool fits = true;                    // the scopes are those of the comparison
  std::optional<UpdateRecord> record;  // that was written
};

// The last actions of a stream up to some place, which are read from the end on.
struct LastActions {
  std::string realm, stream;
  ActionPlace before;   // all come before it
  uint64_t wanted = 0;  // so many actions, or more
  uint32_t asked = 0;   // rows in this round
  uint32_t rows = 0;    // that were read
  Map<ActionPlace, StreamAction> actions = {};
};

// Loads a stream from storage (tab_streams.cc).
struct StreamTx : Tx {
  uint32_t stream = 0;  // its handle
  LastActions last;     // of a plain one
  std::optional<StoredStream> stored;
};
// Reads a page of a stream's past.
struct StreamPageTx : Tx {
  StreamPageEvent page;
  LastActions last;
  uint64_t floor = 0;  // nothing at or below this revision is stored
};
// Stores the state of a reducer, or removes what a plain stream does not keep.
struct StreamStateTx : Tx {
  uint32_t stream = 0;
  StreamStateEvent state;
};

using TabTx = std::variant<PointerTx, CatchUpTx, ResetTx, ReadingTx, SyncTx, CommitTx,
                           LocalCommitTx, ConflictsTx, ResolveTx, JudgeTx, OffersTx, CompareTx,
                           MendTx, StreamTx, StreamPageTx, StreamStateTx>;

}  // namespace skerry

#endif  // SKERRY_CLIENT_TAB_TX_H_
