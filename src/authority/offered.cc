#include "authority/offered.h"

#include <algorithm>
#include <utility>

#include "authority/row_data.h"

namespace skerry {
namespace {

// The time of the latest offer that the row has taken; less than every other if there is none.
double LastOffered(const RowHistory& history) {
  double last = -1;
  for (const RowHistory::Change& change : history.changes)
    last = std::max(last, change.offered.value_or(-1));
  return last;
}

// By prop, whether somebody has changed it since, otherwise than by offers. None: the row was made,
// or deleted, or all of it may have changed.
std::optional<Vector<bool>> ChangedByOthers(const RowHistory& history, const Row& now) {
  if (!history.is_whole) return std::nullopt;
  Vector<bool> changed(now.props.size());
  for (size_t i = 0; i < history.changes.size(); ++i) {
    if (history.changes[i].offered) continue;
    const Row* before = history.changes[i].before ? &*history.changes[i].before : nullptr;
    const Row* after = &now;
    if (i + 1 < history.changes.size())
      after = history.changes[i + 1].before ? &*history.changes[i + 1].before : nullptr;
    if (before == nullptr || after == nullptr) return std::nullopt;
    for (size_t prop = 0; prop < changed.size(); ++prop) {
      if (!(before->props[prop] == after->props[prop])) changed[prop] = true;
    }
  }
  return changed;
}

bool IsOfOffersOnly(const RowHistory& history) {
  return history.is_whole &&
         std::all_of(history.changes.begin(), history.changes.end(),
                     [](const RowHistory::Change& change) { return change.offered.has_value(); });
}

}  // namespace

RowHistory ReadHistory(const Schema& schema, TableIndex table, const wire::ChangedSince& since) {
  RowHistory history;
  history.is_whole = !since.more;
  for (const wire::RowChange& given : since.changes) {
    RowHistory::Change& change = history.changes.emplace_back();
    change.offered = given.offered;
    if (given.before.is_null()) continue;
    Result<Row> before = table == kNone
                             ? Result<Row>(Status(Code::kInvalidArgument, "no such table"))
                             : RowOfTable(schema.table(table), since.realm, given.before);
    // A later release can have changed what fits.
    if (!before.ok()) {
      history.is_whole = false;
      continue;
    }
    SetDefaults(schema.table(table), &before.value());
    change.before = std::move(before.value());
  }
  return history;
}

OfferMerge MergeOffer(const Op& offer, double at, const Row* now, const RowHistory& history) {
  OfferMerge merge;
  const double last = LastOffered(history);
  if (at < last) return merge;
  if (offer.Has(kDeletes)) {
    // A row of the same time was there at that time.
    if (at == last) return merge;
    if (!IsOfOffersOnly(history)) {
      if (now != nullptr) merge.kept = "overwritten";
    } else if (now == nullptr) {
      merge.is_gone = true;
    } else {
      merge.op = offer;
    }
    return merge;
  }
  Op op = offer;
  op.set.clear();
  if (now == nullptr) {
    // Who has deleted the row since has decided after all that was lost.
    if (!IsOfOffersOnly(history)) {
      merge.kept = "row_deleted";
    } else if (at > last) {
      op.kind = OpKind::kCreate;
      for (const PropValue& set : offer.set) {
        if (!set.value.is_null()) op.set.push_back(set);
      }
      merge.op = std::move(op);
    }
    return merge;
  }
  const std::optional<Vector<bool>> changed = ChangedByOthers(history, *now);
  op.kind = OpKind::kUpdate;
  for (const PropValue& set : offer.set) {
    const Value& value = now->props[set.prop];
    if (value == set.value) continue;
    if (!changed || (*changed)[set.prop]) {
      merge.kept = "overwritten";
      merge.props.push_back(set.prop);
    } else if (at > last || value.is_null()) {
      // Clients of two releases may have different props of one state.
      op.set.push_back(set);
    }
  }
  if (!op.set.empty()) merge.op = std::move(op);
  return merge;
}

}  // namespace skerry
