// LiveResult: one live query: its rows in order, kept right by the net changes of each transaction.
//
// `list_` holds the first rows of the result from its very beginning: `offset` that are skipped,
// `limit` that are shown, and a look-ahead behind them. `more_` says that rows may follow which are
// not in it; all of these sort behind the last row of the list, as long as they do not change. So a
// removal is made good from the look-ahead, an insertion pushes the last out, and only a drained
// look-ahead asks the stores again.
#ifndef SKERRY_CLIENT_LIVE_RESULT_H_
#define SKERRY_CLIENT_LIVE_RESULT_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/vector.h"
#include "client/live_affected.h"
#include "client/live_changes.h"
#include "client/live_query.h"
#include "client/ordered_diff.h"
#include "model/prepared_query.h"

namespace skerry {

class LiveResult {
 public:
  LiveResult(uint32_t live, const Query& query, Tables* tables, uint64_t* visited);
  LiveResult(const LiveResult&) = delete;
  LiveResult& operator=(const LiveResult&) = delete;

  uint32_t live() const { return live_; }
  const Query& query() const { return query_; }
  uint64_t requeries() const { return requeries_; }

  void Render(Vector<uint32_t>* rows) const;
  // Brings the result up to date. True where it differs; then `delta` says how.
  bool Update(const LiveChanges& changes, LiveAffected* affected, LiveDelta* delta);

  // For changes that are not told row by row: RememberAll keeps the result as it was before
  // `changes` (settled), UpdateAll queries anew and compares.
  void RememberAll(const LiveChanges& changes);
  bool is_remembering() const { return is_remembering_; }
  bool UpdateAll(LiveDelta* delta);

 private:
  struct Remembered {
    std::string id;
    Row row;
    uint32_t place;
  };
  using Nested = Vector<uint32_t>;

  bool IsUnlimited() const { return query_.limit == kNoLimit; }
  uint64_t ListLimit() const;
  void Requery();
  bool Contains(Slot slot) const;
  void SetList(Vector<Slot> list);
  std::span<const Slot> Visible(const Vector<Slot>& list) const;
  bool InRange(Slot slot);
  bool FindMembers(const LiveChanges& changes, LiveAffected* affected, Vector<Slot>* gone,
                   Vector<Slot>* come);
  bool Merge(const Vector<Slot>& gone, Vector<Slot> come, Vector<Slot>* next);
  Vector<uint32_t> Match(std::span<const Slot> before, std::span<const Slot> after,
                         const LiveChanges& changes, Vector<uint32_t>* origin);
  void Name(const OrderedDiff& diff, std::span<const Slot> after, LiveDelta* delta) const;
  void Compare(std::span<const Slot> before, std::span<const Slot> after,
               const LiveChanges& changes, Vector<uint32_t>* origin, LiveDelta* delta);
  void RenderNested(std::span<const Slot> after, const Vector<uint32_t>& origin,
                    const Vector<Slot>& stale, const LiveChanges& changes, LiveDelta* delta);

  const uint32_t live_;
  const Query query_;
  uint64_t* visited_;
  PreparedQuery prepared_;
  uint64_t requeries_ = 0;
  Slot anchor_ = kNoSlot;  // of query_.after

  Vector<Slot> list_;
  bool more_ = false;
  Vector<uint64_t> members_;  // a bit a slot of list_, where the list is long
  Vector<Nested> nested_;     // of each visible row, where there are includes

  bool is_remembering_ = false;  // between RememberAll and UpdateAll
  Vector<Remembered> remembered_;
  Vector<uint32_t> remembered_stream_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_RESULT_H_
