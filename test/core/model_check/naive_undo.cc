// Server: ops that undo actions (docs/design.md, "Undo"). It keeps every state, so it needs no rows
// of entries.
#include <algorithm>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {
namespace {

bool ComesBefore(const Update& update, const Op& op) {
  for (const std::string& action : update.actions) {
    if (op.by.contains(action)) return false;
    if (action == op.of) return true;
  }
  return false;
}

bool HasProp(const Row& row, const std::string& prop) { return row.props.contains(prop); }

}  // namespace

bool FoldExpecting(const Op& op, double at, uint64_t revision, bool base, Rows* rows) {
  Op met = op;
  met.was.clear();
  const Row& row = rows->at(op.key);
  for (const auto& [prop, value] : op.was) {
    const auto now = row.props.find(prop);
    if (!((now == row.props.end() ? Data() : now->second) == value)) met.set.erase(prop);
  }
  return !met.set.empty() && FoldOp(met, at, revision, base, rows);
}

void Server::NoteVain(const Update& update, size_t action, const Vector<size_t>& places) {
  const bool is_vain = std::all_of(places.begin(), places.end(), [&](size_t place) {
    return !update.ops[place].of.empty() && !IsDone(update, update.ops[place]);
  });
  if (is_vain && !places.empty()) vain_.insert(update.actions[action]);
}

bool Server::IsDone(const Update& update, const Op& op) const {
  if (ComesBefore(update, op)) return !vain_.contains(op.of);
  const auto found = actions_.find(op.of);
  if (found == actions_.end()) return false;
  const auto place = found->second.find(op.realm);
  return place != found->second.end() && IsRemembered({*place});
}

bool Server::IsUndoForgotten(const Update& update, const Op& op) const {
  if (ComesBefore(update, op)) return op.op == "restore";
  if (FloorOf(op.realm) == 0) return false;
  if (!IsDone(update, op)) return true;
  return op.op == "restore" && actions_.at(op.of).at(op.realm) <= FloorOf(op.realm);
}

bool Server::MayUndo(const Update& update, const Op& op, bool* is_forbidden) const {
  *is_forbidden = *is_forbidden || IsUndoForgotten(update, op);
  return !IsUndoForgotten(update, op) && IsDone(update, op);
}

// Whether the entry has deleted the row, by what the action did, and nobody has touched it since.
bool Server::WasDeletedBy(const Op& op, uint64_t revision, const Place& place) const {
  const auto& [realm, key] = place;
  const Vector<Rows>& states = states_.at(realm);
  if (!states[revision - 1].contains(key) || moved_.contains(place)) return false;
  for (uint64_t later = revision; later < states.size(); ++later) {
    if (states[later].contains(key)) return false;
  }
  const auto left = left_.find(place);
  if (rows_.at(realm).contains(key) || (left != left_.end() && left->second > revision))
    return false;
  bool any = false, own = false;
  for (const Op& done : log_.at(realm)[revision - 1].ops) {
    if (done.op != "delete" || done.key != key) continue;
    any = true;
    own = own || done.by.contains(op.of);
  }
  return !any || own;
}

bool Server::Restore(const Op& op, double at) {
  const std::string& realm = op.realm;
  Rows& rows = rows_.at(realm);
  const uint64_t revision = actions_.at(op.of).at(realm);
  const Rows& before = states_.at(realm)[revision - 1];
  const auto put = [&](const Key& key, Row row) {
    Stamp(at, &row);
    rows[key] = std::move(row);
    moved_.erase({realm, key});
  };
  const auto left = left_.find({realm, op.key});
  // What had followed its parent to another realm does not come back (docs/design.md, "Undo").
  const bool has_moved = moved_.contains({realm, op.key});
  const bool is_untouched =
      !WasThere({realm, op.key}) || (left != left_.end() && left->second == revision && !has_moved);
  if (op.knows_row && !before.contains(op.key) && is_untouched) {
    Row row;
    row.realm = realm;
    row.created = at;
    for (const auto& [prop, value] : op.set) {
      if (!value.is_null()) row.props[prop] = value;
    }
    put(op.key, std::move(row));
    return true;
  }
  if (!WasDeletedBy(op, revision, {realm, op.key})) return false;
  put(op.key, before.at(op.key));
  Vector<Key> back = {op.key};
  for (size_t i = 0; i < back.size(); ++i) {
    for (const auto& [key, row] : before) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || !HasProp(row, ref.prop)) continue;
        if (TargetKey(ref, row) != back[i]) continue;
        if (ref.rule == Rule::kCascade && WasDeletedBy(op, revision, {realm, key})) {
          put(key, row);
          back.push_back(key);
        } else if (ref.rule == Rule::kSetNull && rows.contains(key) &&
                   !HasProp(rows.at(key), ref.prop)) {
          Row changed = rows.at(key);
          changed.props[ref.prop] = row.props.at(ref.prop);
          put(key, std::move(changed));
        }
      }
    }
  }
  return true;
}

}  // namespace skerry::test::naive
