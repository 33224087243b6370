// LiveResult: one live query: its rows in order, updated by the net changes of each transaction.
//
// `list_` has the first rows of the result, from its very beginning: `offset` rows that are
// skipped, `limit` rows that are shown, and a look-ahead behind them. `more_` says that further
// rows may follow; as long as they do not change, all of these sort behind the last row of the
// list. So a removed row is replaced from the look-ahead, an inserted row pushes the last one out,
// and the stores are queried again only when the look-ahead is used up.
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
  // Updates the result. Returns whether it differs; `delta` then says how.
  bool Update(const LiveChanges& changes, LiveAffected* affected, LiveDelta* delta);

  // For changes that are not announced row by row: RememberAll stores the result as it was before
  // `changes` (which are settled); UpdateAll queries again and compares.
  void RememberAll(const LiveChanges& changes);
  bool is_remembering() const { return is_remembering_; }
  bool UpdateAll(LiveDelta* delta);

 private:
  struct Remembered {
    ObjectKey key;
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
  bool has_anchor_ = true;  // whether there is a place after which the result begins

  Vector<Slot> list_;
  bool more_ = false;
  Vector<uint64_t> members_;  // one bit per slot: whether it is in list_; only if the list is long
  Vector<Nested> nested_;     // for each visible row; only if there are includes

  bool is_remembering_ = false;  // between RememberAll and UpdateAll
  Vector<Remembered> remembered_;
  Vector<uint32_t> remembered_stream_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_RESULT_H_
