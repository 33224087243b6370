// PackedFilter: a filter prepared for one row store. It compares packed cells without decoding
// them. Its result is the same as that of Matches() on the decoded row.
//
// REQUIRES: the filter and the stores outlive it. It stays valid while rows are added and erased:
// when a dictionary has changed, its codes are looked up again.
#ifndef SKERRY_MODEL_PACKED_FILTER_H_
#define SKERRY_MODEL_PACKED_FILTER_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/vector.h"
#include "model/filter.h"
#include "model/row_store.h"

namespace skerry {

class Tables;

// The candidates of an exists or a sub-select for one outer row: the rows of the inner table whose
// `via` equals the probe and which, for a sub-select, are in the outer row's realm. The caller
// applies the inner filter to them.
class InnerCandidates {
 public:
  // For kExists `realm` is ignored. REQUIRES: all arguments outlive this object; the store does not
  // change while it is used.
  InnerCandidates(RowStore* inner, const Filter* filter, const Probe* probe, std::string_view realm,
                  uint64_t* visited);
  Slot Next();  // kNoSlot at the end

 private:
  RowStore* inner_;
  const Filter* filter_;
  const Probe* probe_;
  std::string_view realm_;
  uint64_t* visited_;
  const Index* index_ = nullptr;  // null if `via` is the id
  uint32_t block_ = 0;
  uint32_t offset_ = 0;
  bool done_ = false;
};

class PackedFilter {
 public:
  // `visited` is raised by the rows of other tables that exists and sub-selects look at.
  PackedFilter(const Filter* filter, TableIndex table, Tables* tables, uint64_t* visited);
  ~PackedFilter();
  PackedFilter(PackedFilter&&) noexcept;
  PackedFilter& operator=(PackedFilter&&) = delete;

  bool Matches(Slot slot) { return Evaluate(0, slot, store_->bytes(slot)); }
  bool Matches(Slot slot, const uint8_t* row) {
    return Evaluate(0, slot, row);
  }  // `row`: the slot's bytes
  bool is_true() const { return nodes_[0].kind == FilterKind::kTrue; }

 private:
  struct Node {
    FilterKind kind = FilterKind::kTrue;
    const Filter* filter = nullptr;
    const Column* column = nullptr;
    Probe probe;           // comparisons
    Vector<Probe> probes;  // kIn
    uint32_t end = 0;      // index of the node after this one's last descendant
    // If the column has a dictionary: the code of the text, or the sorted codes of the texts (kIn),
    // as looked up at pool version `version`.
    uint32_t version = 0;
    uint32_t code = 0;
    Vector<uint32_t> codes;
    std::unique_ptr<PackedFilter> inner;  // kExists, kInSelect
  };

  void Add(const Filter& filter);
  void Refresh(Node* node);
  bool Evaluate(uint32_t at, Slot slot, const uint8_t* row);
  bool Compare(Node* node, Slot slot, const uint8_t* row);
  bool CompareNumber(const Node& node, const uint8_t* row) const;
  bool CompareText(Node* node, Slot slot, const uint8_t* row);
  bool IsIn(Node* node, Slot slot, const uint8_t* row);
  bool FindInner(Node* node, const uint8_t* row);

  RowStore* store_;
  Tables* tables_;
  uint64_t* visited_;
  Vector<Node> nodes_;
};

}  // namespace skerry

#endif  // SKERRY_MODEL_PACKED_FILTER_H_
