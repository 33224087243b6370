// PreparedQuery: a query made ready for its stores: filters packed, nested queries prepared. It
// plans anew on each run, from the sizes that indexes know, and stays right while rows come and go;
// live queries keep one each.
//
// Borrows the query and the stores, which outlive it. Not re-entrant: it owns scratch memory.
#ifndef SKERRY_MODEL_PREPARED_QUERY_H_
#define SKERRY_MODEL_PREPARED_QUERY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/vector.h"
#include "model/collation.h"
#include "model/index.h"
#include "model/packed_filter.h"
#include "model/query.h"

namespace skerry {

// Rows that a transaction changed: lets a live query notice, while it renders, that a nested row is
// not what it was.
class TouchedRows {
 public:
  virtual ~TouchedRows() = default;
  virtual bool IsTouched(TableIndex table, Slot slot) const = 0;
};

class PreparedQuery final : private RowOrder {
 public:
  // `visited` is raised by each row looked at.
  PreparedQuery(const Query* query, Tables* tables, uint64_t* visited);
  ~PreparedQuery() override;
  PreparedQuery(const PreparedQuery&) = delete;
  PreparedQuery& operator=(const PreparedQuery&) = delete;

  const Query& query() const { return *query_; }
  RowStore& store() const { return *store_; }

  // Appends the query's rows in order; with a window of the caller's instead of the query's own
  // offset and limit.
  void Run(Vector<Slot>* slots) { RunWindow(query_->offset, query_->limit, slots); }
  void RunWindow(uint32_t offset, uint32_t limit, Vector<Slot>* slots);
  // All rows that match, in any order, whatever offset and limit; only the behind-`after` rule
  // holds.
  void RunUnordered(Vector<Slot>* slots);
  size_t Count();

  bool Matches(Slot slot) { return filter_.Matches(slot); }
  // Orders two rows as the query does, ties by id: negative where `a` comes first.
  int Compare(Slot a, Slot b) const;
  // Rows that are about to be compared: orders by a locale ask its collator about them together.
  void Place(std::span<const Slot> slots);

  // Appends n and the rows with their includes.
  void Render(const Vector<Slot>& slots, Vector<uint32_t>* stream);
  // Appends per include n and its rows, for one row. Sets *touched if one of these rows is in
  // `rows` (both may be null).
  void RenderIncludes(Slot slot, const TouchedRows* rows, bool* touched, Vector<uint32_t>* stream);
  bool has_includes() const { return !includes_.empty(); }
  PreparedQuery* include(size_t i) const { return includes_[i].get(); }

 private:
  // The rows of a back include: those whose `via` is the parent's id.
  struct Parent {
    PropIndex via;
    Probe probe;
  };
  struct Range {
    Index::Position from;
    Index::Position to;
  };
  // Where candidates come from: ranges of an index, listed slots, or (neither) all rows.
  struct Access {
    const Index* index = nullptr;
    Vector<Range> ranges;
    bool listed = false;
    Vector<Slot> slots;
    size_t rows = 0;
    bool is_equality = false;  // one range, of one value: its rows are in the order of ids
    bool covers = false;       // the candidates are exactly the rows that match
  };

  void Flatten(const Filter& filter);
  void FindCollations();
  Access Plan(const Parent* parent);
  void Consider(Access candidate, Access* best) const;
  void ConsiderColumn(PropIndex column, const Parent* parent, Access* best);
  void ConsiderIds(const Filter& filter, const Parent* parent, Access* best);
  void ConsiderInner(const Filter& filter, Access* best);
  bool InnerKeys(const Filter& filter, size_t limit, Vector<Slot>* slots);

  bool Accepts(Slot slot, const uint8_t* row, const Parent* parent, bool covered);
  bool Accepts(Slot slot, const Parent* parent, bool covered) {
    return Accepts(slot, store_->bytes(slot), parent, covered);
  }
  // REQUIRES: `slots` is empty.
  void Gather(const Access& access, const Parent* parent, Vector<Slot>* slots);
  void GatherRows(const Access& access, const Parent* parent, Vector<Slot>* slots);
  void Collect(const Parent* parent, uint64_t need, Vector<Slot>* slots);
  bool WalkInOrder(const Access& access, const Parent* parent, uint64_t need, Vector<Slot>* slots);
  bool WalkRange(const Access& access, const Parent* parent, uint64_t need, Vector<Slot>* slots);
  void Sort(uint64_t need, Vector<Slot>* slots);
  int CompareRows(Slot a, Slot b) const override { return Compare(a, b); }
  bool IsExact(uint64_t key) const override;
  uint64_t SortKey(Slot slot) const;
  const Column& SortColumn() const;
  bool SortsDescending() const { return !query_->order.empty() && query_->order[0].descending; }
  void Window(const Parent* parent, uint32_t offset, uint32_t limit, Vector<Slot>* slots);
  bool FindAnchor();
  bool OrderedById() const { return query_->order.empty() || query_->order[0].column == kIdColumn; }

  const Query* query_;
  Tables* tables_;
  RowStore* store_;
  uint64_t* visited_;
  PackedFilter filter_;
  std::unique_ptr<Collation*[]> collations_;  // by order; null where it is by bytes
  bool is_collated_ = false;                  // there is one
  Vector<const Filter*> conjuncts_;           // the filter, where it is an `and`, in pieces
  Vector<std::unique_ptr<PreparedQuery>> includes_;
  Slot anchor_ = kNoSlot;  // of `after`, while a run lasts
  Vector<KeyedRow> keyed_;
  Vector<Slot> rows_;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_PREPARED_QUERY_H_
