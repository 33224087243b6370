#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/vector.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {
namespace {

std::map<std::string, Data> WithoutNulls(const std::map<std::string, Data>& props) {
  std::map<std::string, Data> rest;
  for (const auto& [name, value] : props) {
    if (!value.is_null()) rest[name] = value;
  }
  return rest;
}

double NumberOf(const Row& row, const std::string& prop) {
  const auto found = row.props.find(prop);
  return found == row.props.end() ? 0 : found->second.as_number();
}

}  // namespace

std::optional<Row> FindRow(const Rows& rows, const Key& key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

bool FoldOp(const Op& op, double at, uint64_t revision, bool base, Rows* rows) {
  const auto found = rows->find(op.key);
  if (found != rows->end() && found->second.realm != op.realm) return false;
  const bool restores = op.op == "restore" && !base && op.knows_row && found == rows->end();
  if (op.op == "restore" && !restores) return false;
  if (found == rows->end() && op.op != "create" && !restores) return false;
  if (!op.was.empty()) return FoldExpecting(op, at, revision, base, rows);
  if (op.op == "delete" || (op.op == "move" && base)) {
    rows->erase(found);
    return true;
  }
  if (op.op == "move" && op.to == op.realm) return false;
  Row& row = (*rows)[op.key];
  if (found == rows->end()) {
    row.realm = op.realm;
    row.created = at;
  }
  for (const auto& [prop, value] : op.set) {
    if (!LowersRole(op, prop, row)) row.props[prop] = value;
  }
  for (const auto& [prop, by] : op.add) row.props[prop] = Data(NumberOf(row, prop) + by);
  row.props = WithoutNulls(row.props);
  if (op.op == "move") row.realm = op.to;
  row.modified = at;
  row.revision = revision;
  return true;
}

Server::Server(Tables tables, Names realms, Breaks broken)
    : tables_(std::move(tables)), realms_(std::move(realms)), broken_(std::move(broken)) {
  for (const std::string& realm : realms_) {
    log_[realm] = {};
    rows_[realm] = {};
    states_[realm] = {Rows()};
  }
}

// The realm in which the object is that an op on this realm is about: a move leaves word where it
// went, which is followed as far as the author may read.
std::string Server::RealmOf(const std::string& realm, const Key& key, const Rights& rights) const {
  std::string at = realm;
  while (!rows_.at(at).contains(key)) {
    const auto moved = moved_.find({at, key});
    if (moved == moved_.end() || RightIn(rights, moved->second) == May::kNothing) return realm;
    if (!WasThere({at, key})) return realm;
    at = moved->second;
  }
  return at;
}

// Returns false if the other realm has another object with this key.
bool Server::Move(const Place& from, const std::string& to, double at) {
  const auto& [realm, key] = from;
  if (rows_.at(to).contains(key)) return false;
  Row row = rows_.at(realm).at(key);
  rows_.at(realm).erase(key);
  row.realm = to;
  Stamp(at, &row);
  rows_.at(to)[key] = row;
  moved_[from] = to;
  left_[from] = head(realm) + 1;
  moved_.erase({to, key});
  const auto before = origins_.find(from);
  const std::string origin = before == origins_.end() ? realm : before->second;
  origins_.erase(from);
  origins_[{to, key}] = origin;
  return true;
}

// Applies an op where its object is. Returns false if it changed nothing.
bool Server::Apply(const Update& update, const Op& pushed, double now, const Rights& rights,
                   const std::string& user, bool* is_forbidden, bool* is_missing) {
  if (!pushed.of.empty() && !MayUndo(update, pushed, is_forbidden)) return *is_forbidden;
  if (pushed.op == "append") return true;  // it may be pushed: IsForbidden
  Op op = pushed;
  op.realm = RealmOf(op.realm, op.key, rights);
  Rows& rows = rows_.at(op.realm);
  const bool is_there = rows.contains(op.key);
  const May needed = TableOf(op.key) == "$members" ? May::kOwn : May::kWrite;
  const bool needs_right = is_there || needed == May::kOwn;
  const bool is_own_matter = IsLeave(op, user) || IsAcceptance(op, user);
  if (needs_right && RightIn(rights, op.realm) < needed && !is_own_matter) {
    *is_forbidden = true;
    return true;
  }
  if (op.op == "restore") return !is_there && Restore(pushed, now);
  if (op.op == "offer") {
    if (is_there || WasThere({op.realm, op.key})) return false;
    op.op = "create";
  }
  if (!is_there && IsOnForgotten(pushed, update)) {
    *is_forbidden = true;
    return true;
  }
  const bool is_edit = op.op == "move" || !op.set.empty() || !op.add.empty();
  *is_missing = !is_there && op.op != "create" && op.op != "delete" && is_edit;
  if (op.op != "move") {
    const bool changes = FoldOp(op, now, head(op.realm) + 1, false, &rows);
    if (changes) moved_.erase({op.realm, op.key});
    if (changes && op.op == "delete") left_[{op.realm, op.key}] = head(op.realm) + 1;
    if (changes && !is_there) Invite(op, user, &rows);
    return changes;
  }
  if (!is_there || op.to == op.realm) return false;
  if (!pushed.of.empty() && op.realm != pushed.realm) return false;
  if (!Move({op.realm, op.key}, op.to, now)) *is_forbidden = true;
  return true;
}

Result Server::Push(const Update& update, bool is_oldest, double now, const Rights& had,
                    bool is_known, const std::string& user, const Rights& grants) {
  since_.try_emplace(update.client, update.follows ? now : -INFINITY);
  if (std::optional<Result> answer = ChainAnswer(update, is_oldest)) return *answer;
  Result result{"applied", {}, {}, {}};
  for (const std::string& action : update.actions) {
    const auto found = actions_.find(action);
    if (found == actions_.end() || broken_.contains(Break::kNoActionIds)) continue;
    for (const auto& [realm, link] : update.after) {
      const auto place = found->second.find(realm);
      if (place != found->second.end() && IsRemembered({*place})) result.known.insert(action);
    }
  }
  const AllRows before = rows_;
  const auto moved_before = moved_;
  const auto left_before = left_;
  bool is_applied =
      result.known.empty() && is_known && !MayBeForgotten(update) && !MayCountTwice(update);
  std::map<size_t, Vector<size_t>> steps;  // by action: the places of its ops
  Names unnamed;
  for (const auto& [realm, link] : update.after) unnamed.insert(realm);
  for (size_t place = 0; place < update.ops.size(); ++place) {
    const Op& op = update.ops[place];
    size_t action = 0;
    while (!op.by.contains(update.actions[action])) ++action;
    steps[action].push_back(place);
    for (const std::string& realm : RealmsOf({op})) unnamed.erase(realm);
  }
  for (const std::string& realm : unnamed)
    is_applied = is_applied && RightIn(had, realm) >= May::kWrite;
  Names founded;
  vain_.clear();
  for (const auto& [action, places] : steps) {
    if (!is_applied) break;
    const Names now_founded = Founded(update, places, founded, user);
    Rights rights = RightsInStep(had, grants, founded, user);
    for (const std::string& realm : now_founded) rights[realm] = May::kOwn;
    is_applied = Step(update, places, now, std::move(rights), user, now_founded, &result);
    NoteVain(update, action, places);
    founded.insert(now_founded.begin(), now_founded.end());
  }
  if (!is_applied) {
    rows_ = before;
    moved_ = moved_before;
    left_ = left_before;
    result.status = "rejected";
    result.noops.clear();
    result.missing.clear();
    // Kept in a realm that the author may write, if there is one.
    std::string kept = update.after.begin()->first;
    for (const auto& [realm, link] : update.after) {
      if (RightIn(had, kept) < May::kWrite) kept = realm;
    }
    if (RightIn(had, kept) < May::kWrite) kept = update.after.begin()->first;
    Chain& chain = chains_[{kept, update.client}];
    chain.refused[update.id] = result;
    Heed(update, kept, &chain);
    return result;
  }
  std::sort(result.noops.begin(), result.noops.end());
  std::sort(result.missing.begin(), result.missing.end());
  Log(update, now);
  return result;
}

// What one action does. Returns false if a rule forbids it; then the rows may be anything.
bool Server::Step(const Update& update, const Vector<size_t>& places, double now, Rights rights,
                  const std::string& user, const Names& founded, Result* result) {
  if (IsForbidden(update, places, rights, user)) return false;
  const AllRows before = rows_;
  origins_.clear();
  bool is_forbidden = false;
  for (const size_t place : places) {
    bool is_missing = false;
    if (!Apply(update, update.ops[place], now, rights, user, &is_forbidden, &is_missing))
      result->noops.push_back(static_cast<uint32_t>(place));
    if (is_missing) result->missing.push_back(static_cast<uint32_t>(place));
  }
  const AllRows made = rows_;
  FillDefaults(&rows_);
  is_forbidden = !FollowParents(MovedSince(before), now, rights) || is_forbidden;
  CascadeDeletes(rights);
  SetNulls(now);
  if (is_forbidden || LacksOwner(before, founded) || BreaksRule() || BreaksAppRule(before))
    return false;
  TouchMasters(before, now);
  // Also of an object that is deleted at once, with its parent, the realm knows that it was there.
  for (const AllRows* side : {&before, &made}) {
    for (const auto& [realm, rows] : *side) {
      for (const auto& [key, row] : rows) {
        if (!rows_.at(realm).contains(key)) left_[{realm, key}] = head(realm) + 1;
      }
    }
  }
  return true;
}

// ---- what follows from the ops, after the whole step ----

Key Server::TargetKey(const Ref& ref, const Row& row) const {
  const auto value = row.props.find(ref.prop);
  if (value == row.props.end()) return {};
  return KeyOf(ref.target, value->second.as_string(), row.realm);
}

bool Server::HasTarget(const Ref& ref, const Row& row) const {
  return rows_.at(row.realm).contains(TargetKey(ref, row));
}

// The realm of the row's parent: the row's own; the one that it has left in this update; or where
// the parent went from there. Empty: it has none.
std::string Server::RealmOfParent(const Place& place, const Key& parent,
                                  const Rights& rights) const {
  const auto origin = origins_.find(place);
  const std::string here = RealmOf(place.first, parent, rights);
  if (rows_.at(here).contains(parent)) return here;
  if (origin == origins_.end()) return {};
  const Key before = KeyOf(TableOf(parent), IdOf(parent), origin->second);
  const std::string there = RealmOf(origin->second, before, rights);
  return rows_.at(there).contains(before) ? there : std::string();
}

void Server::Stamp(double at, Row* row) const {
  row->modified = at;
  row->revision = head(row->realm) + 1;
}

std::set<Server::Place> Server::MovedSince(const AllRows& before) const {
  std::set<Place> moved;
  for (const auto& [place, origin] : origins_) {
    const bool is_there = rows_.at(place.first).contains(place.second);
    if (is_there && origin != place.first && before.at(origin).contains(place.second))
      moved.insert(place);
  }
  return moved;
}

// A child is in the realm of its parent, by a ref that cascades. A row that an op moved stays in
// its target realm. Rows follow one by one, first those whose parent stays, because rows may be
// each other's parents in a ring. A row cannot follow to a realm that the author may not write; it
// has then lost its parent. Returns false if one cannot follow because its key is taken there.
bool Server::FollowParents(const std::set<Place>& moved, double at, const Rights& rights) {
  for (int step = 0;; ++step) {
    SKERRY_CHECK(step < 1000);
    std::map<Place, Place> going;  // to the parent
    for (const auto& [realm, rows] : rows_) {
      for (const auto& [key, row] : rows) {
        for (const Ref& ref : tables_.refs) {
          if (ref.table != TableOf(key) || ref.rule != Rule::kCascade ||
              !row.props.contains(ref.prop) || moved.contains({realm, key}))
            continue;
          const Key parent = TargetKey(ref, row);
          const std::string where = RealmOfParent({realm, key}, parent, rights);
          if (!where.empty() && where != realm)
            going.emplace(Place{realm, key}, Place{where, parent});
        }
      }
    }
    if (going.empty()) return true;
    auto next = std::find_if(going.begin(), going.end(),
                             [&](const auto& child) { return !going.contains(child.second); });
    if (next == going.end()) next = going.begin();
    const auto& [child, parent] = *next;
    if (RightIn(rights, parent.first) < May::kWrite) {
      rows_.at(child.first).erase(child.second);
    } else if (!Move(child, parent.first, at)) {
      return false;
    }
  }
}

// Includes children that the author never saw.
void Server::CascadeDeletes(const Rights& rights) {
  for (bool again = true; again;) {
    again = false;
    for (auto& [realm, rows] : rows_) {
      for (auto row = rows.begin(); row != rows.end();) {
        bool orphan = false;
        for (const Ref& ref : tables_.refs) {
          if (ref.table != TableOf(row->first) || ref.rule != Rule::kCascade) continue;
          if (!row->second.props.contains(ref.prop)) continue;
          const Key parent = TargetKey(ref, row->second);
          orphan = orphan || RealmOfParent({realm, row->first}, parent, rights).empty();
        }
        again = again || orphan;
        row = orphan ? rows.erase(row) : std::next(row);
      }
    }
  }
}

void Server::SetNulls(double at) {
  for (auto& [realm, rows] : rows_) {
    for (auto& [key, row] : rows) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || ref.rule != Rule::kSetNull) continue;
        if (!row.props.contains(ref.prop) || HasTarget(ref, row)) continue;
        row.props.erase(ref.prop);
        Stamp(at, &row);
      }
    }
  }
}

// Whether a ref leads out of its realm or to a missing row, or a unique value occurs twice.
bool Server::BreaksRule() const {
  std::set<std::pair<std::string, std::string>> values;
  for (const auto& [realm, rows] : rows_) {
    for (const auto& [key, row] : rows) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || !row.props.contains(ref.prop)) continue;
        if (!HasTarget(ref, row)) return true;
      }
      for (const auto& [table, prop] : tables_.unique) {
        if (table != TableOf(key) || !row.props.contains(prop)) continue;
        const std::string value =
            std::to_string(static_cast<int64_t>(row.props.at(prop).as_number()));
        if (!values.insert({realm + "/" + table + "/" + prop, value}).second) return true;
      }
    }
  }
  return false;
}

// Touches the masters of changed rows, before and after, and their masters.
void Server::TouchMasters(const AllRows& before, double at) {
  std::set<Place> changed;
  for (const AllRows* side : {&before, const_cast<const AllRows*>(&rows_)}) {
    for (const auto& [realm, rows] : *side) {
      for (const auto& [key, row] : rows) {
        if (FindRow(before.at(realm), key) != FindRow(rows_.at(realm), key))
          changed.insert({realm, key});
      }
    }
  }
  const std::set<Place> by_itself = changed;
  Vector<Place> queue(changed.begin(), changed.end());
  while (!queue.empty()) {
    const Place place = queue.back();
    const auto& [realm, key] = place;
    queue.pop_back();
    Vector<Row> versions;
    if (const std::optional<Row> row = FindRow(rows_.at(realm), key)) versions.push_back(*row);
    const std::optional<Row> old = FindRow(before.at(realm), key);
    if (old && by_itself.contains(place)) versions.push_back(*old);
    for (const Row& row : versions) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || !ref.touch) continue;
        const Key master = TargetKey(ref, row);
        const auto found = rows_.at(realm).find(master);
        if (found == rows_.at(realm).end() || !changed.insert({realm, master}).second) continue;
        Stamp(at, &found->second);
        queue.push_back({realm, master});
      }
    }
  }
}

}  // namespace skerry::test::naive
