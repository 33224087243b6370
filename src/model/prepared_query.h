// PreparedQuery: a query prepared for its stores, with packed filters and prepared nested queries.
// Each run makes a new plan, from the row counts that indexes give. It stays valid while rows are
// added and erased, so each live query keeps one.
//
// REQUIRES: the query and the stores outlive it. Not re-entrant: it owns scratch memory.
#ifndef SKERRY_MODEL_PREPARED_QUERY_H_
#define SKERRY_MODEL_PREPARED_QUERY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/collation.h"
#include "model/index.h"
#include "model/packed_filter.h"
#include "model/query.h"

namespace skerry {

// The rows that a transaction changed. While a live query renders, it finds out from this whether a
// nested row has changed.
class TouchedRows {
 public:
  virtual ~TouchedRows() = default;
  virtual bool IsTouched(TableIndex table, Slot slot) const = 0;
};

class PreparedQuery final : private RowOrder {
 public:
  // `visited` is raised by one for each row looked at.
  PreparedQuery(const Query* query, Tables* tables, uint64_t* visited);
  ~PreparedQuery() override;
  PreparedQuery(const PreparedQuery&) = delete;
  PreparedQuery& operator=(const PreparedQuery&) = delete;

  const Query& query() const { return *query_; }
  RowStore& store() const { return *store_; }

  // Appends the query's rows in order. RunWindow uses the given offset and limit instead of the
  // query's own.
  void Run(Vector<Slot>* slots) { RunWindow(query_->offset, query_->limit, slots); }
  void RunWindow(uint32_t offset, uint32_t limit, Vector<Slot>* slots);
  // Appends all rows that match, in any order. It ignores offset and limit, but not `after`.
  void RunUnordered(Vector<Slot>* slots);
  size_t Count();

  bool Matches(Slot slot) { return filter_.Matches(slot); }
  // Finds the place after which the result begins. Returns false if there is none: nothing is in the
  // result then. A run does it; call it before IsAfter when rows have changed since.
  bool FindAnchor();
  // Whether the row comes after that place, or the query has none. REQUIRES: FindAnchor returned true.
  bool IsAfter(Slot slot);
  // Orders two rows as the query does, ties by id: negative if `a` comes first.
  int Compare(Slot a, Slot b) const;
  // Call before rows are compared: an order by a locale then ranks all of them in one call of the
  // collator.
  void Place(std::span<const Slot> slots);

  // Appends the number of rows, then the rows with their includes.
  void Render(const Vector<Slot>& slots, Vector<uint32_t>* stream);
  // Appends the includes of one row: for each include the number of its rows, then the rows. Sets
  // *touched if one of these rows is in `rows` (both may be null).
  void RenderIncludes(Slot slot, const TouchedRows* rows, bool* touched, Vector<uint32_t>* stream);
  bool has_includes() const { return !includes_.empty(); }
  PreparedQuery* include(size_t i) const { return includes_[i].get(); }

 private:
  // The parent of a back include: its rows are those whose `via` is the parent's id.
  struct Parent {
    PropIndex via;
    Probe probe;
    std::string realm;  // of the children; empty: of any
  };
  struct Range {
    Index::Position from;
    Index::Position to;
  };
  // Where candidates come from: ranges of an index, or listed slots, or else all rows.
  struct Access {
    const Index* index = nullptr;
    Vector<Range> ranges;
    bool listed = false;
    Vector<Slot> slots;
    size_t rows = 0;
    bool is_equality = false;  // one range of one value, so its rows are ordered by id
    bool covers = false;       // the candidates are exactly the rows that match
  };

  void CollectConjuncts(const Filter& filter);
  void FindCollations();
  Access Plan(const Parent* parent);
  void Consider(Access candidate, Access* best) const;
  void ConsiderColumn(PropIndex column, const Parent* parent, Access* best);
  void ConsiderIds(const Filter& filter, const Parent* parent, Access* best);
  void ConsiderInner(const Filter& filter, Access* best);
  bool InnerKeys(const Filter& filter, size_t limit, Vector<Slot>* slots);

  bool IsChild(Slot slot, const Parent& parent) const;
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
  bool IsWhereItWas(Slot slot) const;
  int ComparePlace(Slot slot);

  const Query* query_;
  Tables* tables_;
  RowStore* store_;
  uint64_t* visited_;
  PackedFilter filter_;
  std::unique_ptr<Collation*[]> collations_;  // by place in `order`; null for an order by bytes
  bool is_collated_ = false;                  // at least one is not null
  // The operands of the filter if it is an `and`; else the filter itself.
  Vector<const Filter*> conjuncts_;
  Vector<std::unique_ptr<PreparedQuery>> includes_;
  Slot anchor_ = kNoSlot;  // the row that `after` names; set during a run
  // Where that row was, if it is no longer there (`anchor_` is kNoSlot): set during a run.
  bool is_placed_ = false;
  Vector<Probe> place_;
  Vector<Collation::Sought> sought_;  // for the orders by a locale
  Probe place_id_;
  Vector<KeyedRow> keyed_;
  Vector<Slot> rows_;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_PREPARED_QUERY_H_
