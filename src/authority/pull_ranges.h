// PullRanges: the part of a pull that knows the log. Which range of it the answer covers, realm by
// realm; whether the cursors belong to this history, and to what is not forgotten; which of the
// client's own updates are in it; and which tables' changes no answer can hold.
//
// In: the cursors, and entries, own updates and actions as they are read. Out: a PullRange for each
// realm, the tables that are left out, and the answer's cursors, `own`, `known`, `floors`, `reset`,
// `revoked`, `refill` and images.
#ifndef SKERRY_AUTHORITY_PULL_RANGES_H_
#define SKERRY_AUTHORITY_PULL_RANGES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "authority/pull_input.h"

namespace skerry {

// How a realm is answered (pull.h).
enum class RealmMode { kRange, kState, kImage };

// Tables whose changes are left out.
struct LeftOutTables {
  bool is_any = false;
  bool is_all = false;  // every table
  Set<TableIndex> tables;
  bool Has(TableIndex table) const { return is_all || tables.contains(table); }
  void Add(const LeftOutTables& other);
};

struct PullRange {
  RealmMode mode = RealmMode::kRange;
  Cursor from;
  std::optional<Cursor>
      given;  // an entry that the log must have, though nothing is read from there
  PullRealm now;
  uint64_t to = 0;
  Map<uint64_t, wire::LoadedEntry> entries;
  Vector<PulledOwn> own;
  Map<std::string, uint64_t> actions;  // revisions of those in `known`
  LeftOutTables omitted;
};

class PullRanges {
 public:
  explicit PullRanges(PullIo* io) : io_(io) {}

  void Begin(const Map<std::string, PullRealm>& realms);
  void LoadEntry(wire::LoadedEntry entry);
  void LoadOwn(PulledOwn own);
  void LoadAction(const std::string& realm, const std::string& action, uint64_t revision);
  // Of a realm in needs().images.
  void LoadImage(wire::Image image);
  // These tables were not read in the realm's range, or its state, because no answer can hold them.
  // Empty optional: no table was read, and neither were the ops of own updates.
  void LoadUnread(const std::string& realm, std::optional<Set<TableIndex>> tables);

  // Returns whether more must be read, for realms that are answered in another way than it seemed.
  // `reset`: their names.
  bool FindOtherHistories(Vector<std::string>* reset);
  bool NeedsFullResync();
  void ChooseEnds();
  void CutSpanning();
  void CollectOwn();
  void CollectOmitted(const Vector<PullJoin>& joins);
  void WriteLost();
  void WriteCursors();

  const Map<std::string, PullRange>& all() const { return realms_; }
  // Null if the pull is not given the realm.
  const PullRange* Find(const std::string& realm) const {
    const auto found = realms_.find(realm);
    return found == realms_.end() ? nullptr : &found->second;
  }
  // 410: no answer can hold the changes, or they are forgotten; the client loads all again.
  bool is_too_large() const { return is_too_large_; }
  // Of all realms.
  const LeftOutTables& unread() const { return unread_; }
  // Memberships are always read.
  bool IsUnread(TableIndex table) const {
    return table != io_->request.scopes.members() && unread_.Has(table);
  }

 private:
  // kState or kImage, for a realm of which the client holds nothing.
  RealmMode InitialMode(const PullRealm& realm) const;
  void AskForGiven(const std::string& name, PullRange* realm);
  void AskFor(const std::string& name, PullRange* realm);
  void AskForState(const std::string& name, PullRange* realm);
  static bool IsForgotten(const PullRange& realm) {
    return realm.mode == RealmMode::kRange && realm.from.revision < realm.now.floor.revision;
  }
  void CollectSpans(const wire::LoadedOwn& own);
  void AddOwn(const std::string& realm, const std::string& update, uint64_t revision, double at,
              const LostOps& lost);
  void SpreadUnread(const Vector<PullJoin>& joins);

  PullIo* io_;
  bool is_whole_ = false;  // the scopes ask for all rows of all tables
  Map<std::string, PullRange> realms_;
  LeftOutTables unread_;
  Vector<std::string> image_realms_;
  Map<std::string, LostOps> lost_;  // by update of the answer's `own`
  bool is_too_large_ = false;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_RANGES_H_
