#include "model/packed_filter.h"

#include <algorithm>

#include "base/sort.h"
#include "model/index.h"
#include "model/like.h"
#include "model/query.h"

namespace skerry {
namespace {

bool Holds(FilterKind kind, int compared) {
  switch (kind) {
    case FilterKind::kEq:
      return compared == 0;
    case FilterKind::kNe:
      return compared != 0;
    case FilterKind::kLt:
      return compared < 0;
    case FilterKind::kLe:
      return compared <= 0;
    case FilterKind::kGt:
      return compared > 0;
    default:
      return compared >= 0;
  }
}

// REQUIRES: the cell is a text or an id, and not null.
std::string_view CellText(const RowStore& store, const Column& column, const uint8_t* row,
                          char buffer[kIdTextBuffer]) {
  if (column.packing == Packing::kId)
    return store.KeyText(RowStore::LoadKey(row + column.offset), buffer);
  return column.pool->Get(RowStore::TextCode(column, row));
}

// A probe that stays valid. The code of a pooled id may later be assigned to another id, so pooled
// ids are compared as text.
Probe LastingProbe(const RowStore& store, PropIndex column, const Value& value) {
  Probe probe = store.MakeProbe(column, value);
  if (probe.key.is_pooled()) probe.key = IdKey();
  return probe;
}

bool HasDictionary(const Column& column) {
  return (column.packing == Packing::kText || column.packing == Packing::kRealm) &&
         column.pool->is_dictionary();
}

}  // namespace

InnerCandidates::InnerCandidates(RowStore* inner, const Filter* filter, const Probe* probe,
                                 std::string_view realm, uint64_t* visited)
    : inner_(inner), filter_(filter), probe_(probe), realm_(realm), visited_(visited) {
  if (filter->via == kIdColumn) return;
  index_ = inner->GetIndex(filter->via);
  const Index::Position start = index_->LowerBound(*probe);
  block_ = start.block;
  offset_ = start.offset;
}

Slot InnerCandidates::Next() {
  const Column& realm = inner_->column(kRealmColumn);
  while (!done_) {
    Slot found = kNoSlot;
    if (!index_) {
      found = inner_->Find(probe_->text, realm_);
      done_ = true;
    } else if (const Index::Position at{block_, offset_}; at != index_->End()) {
      found = index_->At(at);
      const Index::Position next = index_->Next(at);
      block_ = next.block;
      offset_ = next.offset;
      if (inner_->CompareProbe(found, inner_->column(filter_->via), *probe_) != 0) found = kNoSlot;
    }
    if (found == kNoSlot) break;
    ++*visited_;
    const std::string_view in = realm.pool->Get(RowStore::TextCode(realm, inner_->bytes(found)));
    if (in == realm_) return found;
  }
  done_ = true;
  return kNoSlot;
}

PackedFilter::PackedFilter(const Filter* filter, TableIndex table, Tables* tables,
                           uint64_t* visited)
    : store_(&tables->store(table)), tables_(tables), visited_(visited) {
  Add(*filter);
}

PackedFilter::~PackedFilter() = default;
PackedFilter::PackedFilter(PackedFilter&&) noexcept = default;

void PackedFilter::Add(const Filter& filter) {
  const size_t at = nodes_.size();
  nodes_.emplace_back();
  nodes_[at].kind = filter.kind;
  nodes_[at].filter = &filter;
  if (filter.column != kNone) {
    nodes_[at].column = &store_->column(filter.column);
    nodes_[at].probe = LastingProbe(*store_, filter.column, filter.value);
    for (const Value& value : filter.values) {
      nodes_[at].probes.push_back(LastingProbe(*store_, filter.column, value));
    }
  }
  if (filter.kind == FilterKind::kExists || filter.kind == FilterKind::kInSelect) {
    nodes_[at].inner =
        std::make_unique<PackedFilter>(&filter.children[0], filter.table, tables_, visited_);
  } else {
    for (const Filter& child : filter.children) Add(child);
  }
  nodes_[at].end = static_cast<uint32_t>(nodes_.size());
}

bool PackedFilter::Evaluate(uint32_t at, Slot slot, const uint8_t* row) {
  Node& node = nodes_[at];
  switch (node.kind) {
    case FilterKind::kTrue:
      return true;
    case FilterKind::kAnd:
    case FilterKind::kOr: {
      const bool decisive = node.kind == FilterKind::kOr;
      for (uint32_t child = at + 1; child < node.end; child = nodes_[child].end) {
        if (Evaluate(child, slot, row) == decisive) return decisive;
      }
      return !decisive;
    }
    case FilterKind::kNot:
      return !Evaluate(at + 1, slot, row);
    case FilterKind::kIn:
      return IsIn(&node, slot, row);
    case FilterKind::kExists:
    case FilterKind::kInSelect:
      return FindInner(&node, row);
    default:
      return Compare(&node, slot, row);
  }
}

bool PackedFilter::Compare(Node* node, Slot slot, const uint8_t* row) {
  const Column& column = *node->column;
  if (node->probe.is_null) {
    if (node->kind != FilterKind::kEq && node->kind != FilterKind::kNe) return false;
    return RowStore::IsNullCell(column, row) == (node->kind == FilterKind::kEq);
  }
  if (column.packing == Packing::kNumber) return CompareNumber(*node, row);
  if (RowStore::IsNullCell(column, row)) return false;
  if (column.packing == Packing::kBool) {
    return Holds(node->kind,
                 static_cast<int>(row[column.offset]) - static_cast<int>(node->probe.number));
  }
  return CompareText(node, slot, row);
}

// Null is stored as NaN: all comparisons with NaN are false, except !=, which is written without
// it.
bool PackedFilter::CompareNumber(const Node& node, const uint8_t* row) const {
  const double v = RowStore::LoadF64(row + node.column->offset);
  switch (node.kind) {
    case FilterKind::kEq:
      return v == node.probe.number;
    case FilterKind::kNe:
      return v < node.probe.number || v > node.probe.number;
    case FilterKind::kLt:
      return v < node.probe.number;
    case FilterKind::kLe:
      return v <= node.probe.number;
    case FilterKind::kGt:
      return v > node.probe.number;
    default:
      return v >= node.probe.number;
  }
}

void PackedFilter::Refresh(Node* node) {
  TextPool* pool = node->column->pool;
  node->version = pool->version();
  node->code = pool->Find(node->probe.text);
  node->codes.clear();
  for (const Probe& probe : node->probes) {
    const uint32_t code = pool->Find(probe.text);
    if (code) node->codes.push_back(code);
  }
  Sort(node->codes.begin(), node->codes.end());
}

// REQUIRES: neither the cell nor the value is null.
bool PackedFilter::CompareText(Node* node, Slot slot, const uint8_t* row) {
  const Column& column = *node->column;
  const bool equality = node->kind == FilterKind::kEq || node->kind == FilterKind::kNe;
  if (equality && HasDictionary(column)) {
    if (node->version != column.pool->version()) Refresh(node);
    return (RowStore::TextCode(column, row) == node->code) == (node->kind == FilterKind::kEq);
  }
  if (node->kind == FilterKind::kLike) {
    char buffer[kIdTextBuffer];
    return LikeMatches(CellText(*store_, column, row, buffer), node->probe.text);
  }
  return Holds(node->kind, store_->CompareProbe(slot, column, node->probe));
}

bool PackedFilter::IsIn(Node* node, Slot slot, const uint8_t* row) {
  const Column& column = *node->column;
  if (RowStore::IsNullCell(column, row)) return false;
  if (HasDictionary(column)) {
    if (node->version != column.pool->version()) Refresh(node);
    return std::binary_search(node->codes.begin(), node->codes.end(),
                              RowStore::TextCode(column, row));
  }
  const auto at = std::partition_point(
      node->probes.begin(), node->probes.end(),
      [&](const Probe& probe) { return store_->CompareProbe(slot, column, probe) > 0; });
  return at != node->probes.end() && store_->CompareProbe(slot, column, *at) == 0;
}

bool PackedFilter::FindInner(Node* node, const uint8_t* row) {
  const Filter& filter = *node->filter;
  RowStore& inner = tables_->store(filter.table);
  const Column& outer =
      store_->column(filter.kind == FilterKind::kInSelect ? filter.column : kIdColumn);
  if (RowStore::IsNullCell(outer, row)) return false;
  char buffer[kIdTextBuffer];
  Probe probe;
  if (outer.packing == Packing::kNumber) {
    probe.is_null = false;
    probe.number = RowStore::LoadF64(row + outer.offset);
  } else if (outer.packing == Packing::kBool) {
    probe.is_null = false;
    probe.number = row[outer.offset];
  } else {
    probe = inner.MakeIdProbe(CellText(*store_, outer, row, buffer));
  }
  const Column& realm = store_->column(kRealmColumn);
  InnerCandidates rows(&inner, &filter, &probe, realm.pool->Get(RowStore::TextCode(realm, row)),
                       visited_);
  for (Slot found = rows.Next(); found != kNoSlot; found = rows.Next()) {
    if (node->inner->Matches(found)) return true;
  }
  return false;
}

}  // namespace skerry
