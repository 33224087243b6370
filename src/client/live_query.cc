#include "client/live_query.h"

#include <algorithm>

#include "base/vector.h"
#include "client/live_affected.h"
#include "client/live_changes.h"
#include "client/live_result.h"

namespace skerry {
namespace {

void CountFilter(const Filter& filter, int by, Vector<int>* reads) {
  if (filter.table != kNone) (*reads)[filter.table] += by;
  for (const Filter& child : filter.children) CountFilter(child, by, reads);
}

// Counts how many queries read each table, so that closing one of two does not forget the table.
void CountQuery(const Query& query, int by, Vector<int>* reads) {
  (*reads)[query.table] += by;
  CountFilter(query.where, by, reads);
  for (const Include& include : query.includes) CountQuery(include.query[0], by, reads);
}

}  // namespace

struct LiveQueries::Impl {
  Impl(const Schema* schema, Tables* tables)
      : tables(tables), changes(schema->tables().size(), tables), reads(schema->tables().size()) {}

  LiveResult* Find(uint32_t live) const {
    for (const auto& result : results) {
      if (result->live() == live) return result.get();
    }
    return nullptr;
  }

  Tables* tables;
  LiveChanges changes;
  bool is_reset = false;
  Vector<int> reads;
  Vector<std::unique_ptr<LiveResult>> results;  // in the order in which they were opened
  uint32_t last_live = 0;
  uint64_t visited = 0;
  uint64_t closed_requeries = 0;
};

LiveQueries::LiveQueries(const Schema* schema, Tables* tables)
    : impl_(std::make_unique<Impl>(schema, tables)) {}

LiveQueries::~LiveQueries() = default;

uint32_t LiveQueries::Open(const Query& query, Vector<uint32_t>* rows) {
  const uint32_t live = ++impl_->last_live;
  impl_->results.push_back(
      std::make_unique<LiveResult>(live, query, impl_->tables, &impl_->visited));
  CountQuery(query, 1, &impl_->reads);
  impl_->results.back()->Render(rows);
  // The result already contains the changes of a transaction that is not finished, so the rest of
  // these cannot be reported row by row.
  if (impl_->is_reset || !impl_->changes.empty()) {
    impl_->results.back()->RememberAll(LiveChanges(impl_->reads.size(), impl_->tables));
  }
  return live;
}

void LiveQueries::Close(uint32_t live) {
  auto& results = impl_->results;
  const auto at = std::find_if(results.begin(), results.end(),
                               [&](const auto& r) { return r->live() == live; });
  if (at == results.end()) return;
  CountQuery((*at)->query(), -1, &impl_->reads);
  impl_->closed_requeries += (*at)->requeries();
  results.erase(at);
}

size_t LiveQueries::size() const { return impl_->results.size(); }

void LiveQueries::Render(uint32_t live, Vector<uint32_t>* rows) const {
  const LiveResult* result = impl_->Find(live);
  SKERRY_CHECK(result != nullptr);
  result->Render(rows);
}

bool LiveQueries::IsSettled() const { return !impl_->is_reset && impl_->changes.empty(); }

bool LiveQueries::Reads(TableIndex table) const { return impl_->reads[table] > 0; }

void LiveQueries::WillChange(const ObjectKey& key) {
  if (Reads(key.table) && !impl_->is_reset) impl_->changes.Remember(key);
}

void LiveQueries::WillReset() {
  impl_->is_reset = true;
  impl_->changes.Settle();
  for (const auto& result : impl_->results) result->RememberAll(impl_->changes);
  impl_->changes.Clear();
}

void LiveQueries::Flush(Vector<LiveDelta>* out) {
  impl_->changes.Settle();
  LiveAffected affected(&impl_->changes, impl_->tables, &impl_->visited);
  for (const auto& result : impl_->results) {
    LiveDelta delta;
    const bool all = result->is_remembering();
    if (!all && impl_->changes.empty()) continue;
    if (all ? result->UpdateAll(&delta) : result->Update(impl_->changes, &affected, &delta)) {
      out->push_back(std::move(delta));
    }
  }
  impl_->changes.Clear();
  impl_->is_reset = false;
}

uint64_t LiveQueries::rows_visited() const { return impl_->visited; }

uint64_t LiveQueries::requeries() const {
  uint64_t sum = impl_->closed_requeries;
  for (const auto& result : impl_->results) sum += result->requeries();
  return sum;
}

}  // namespace skerry
