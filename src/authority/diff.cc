#include "authority/diff.h"

#include <utility>

namespace skerry {
namespace {

Change ChangeTo(ChangeKind kind, const ObjectKey& key, const Row& row) {
  Change change;
  change.kind = kind;
  change.key = key;
  change.realm = row.realm;
  change.created_at = row.created_at;
  change.modified_at = row.modified_at;
  change.revision = row.revision;
  return change;
}

void SetDifferences(const Row& from, const Row& to, Change* change) {
  for (size_t i = 0; i < to.props.size(); ++i) {
    if (from.props[i] == to.props[i]) continue;
    change->set.push_back({static_cast<PropIndex>(i), to.props[i]});
  }
}

}  // namespace

std::optional<Change> DiffRow(const ObjectKey& key, const std::string& realm, const Row* from,
                              const Row* to) {
  if (from == to || (from && to && *from == *to)) return std::nullopt;
  if (!to) {
    Change change;
    change.kind = ChangeKind::kDelete;
    change.key = key;
    change.realm = realm;
    return change;
  }
  if (!from) return WholeRow(key, *to);
  Change change = ChangeTo(ChangeKind::kUpdate, key, *to);
  SetDifferences(*from, *to, &change);
  return change;
}

Change WholeRow(const ObjectKey& key, const Row& row) {
  Change change = ChangeTo(ChangeKind::kCreate, key, row);
  change.set = SetOf(row);
  return change;
}

Change MovedRow(const ObjectKey& key, const Row& from, const Row& to) {
  Change change = ChangeTo(ChangeKind::kMove, key, to);
  change.realm = from.realm;
  change.to = to.realm;
  SetDifferences(from, to, &change);
  return change;
}

}  // namespace skerry
