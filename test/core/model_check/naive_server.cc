#include <algorithm>

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

std::optional<Row> Find(const Rows& rows, const Key& key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::string TableOf(const Key& key) { return key.substr(0, key.find('/')); }

Update UpdateOf(const std::string& client, const Data& wire) {
  Update update;
  update.id = wire["id"].as_string();
  update.client = client;
  for (const auto& [realm, link] : wire["after"].members()) {
    update.after[realm] = {link["seq"].as_u64(), link["id"].as_string()};
  }
  for (const Data& action : wire["actions"].items())
    update.actions.push_back(action["id"].as_string());
  for (const Data& data : wire["ops"].items()) {
    Op op;
    op.op = data["op"].as_string();
    op.key = data["table"].as_string() + "/" + data["id"].as_string();
    op.realm = data["realm"].as_string();
    op.to = data["to"].as_string();
    for (const auto& [prop, value] : data["set"].members()) op.set[prop] = value;
    for (const auto& [prop, value] : data["add"].members()) op.add[prop] = value.as_number();
    for (const Data& by : data["by"].items()) op.by.insert(update.actions[by.as_u64()]);
    if (!data.Find("by")) op.by.insert(update.actions[0]);
    update.ops.push_back(std::move(op));
  }
  return update;
}

bool FoldOp(const Op& op, double at, uint64_t revision, bool base, Rows* rows) {
  const auto found = rows->find(op.key);
  if (found != rows->end() && found->second.realm != op.realm) return false;
  if (found == rows->end() && op.op != "create") return false;
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
  for (const auto& [prop, value] : op.set) row.props[prop] = value;
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
    states_[realm] = {Rows()};
  }
}

// ---- the chain ----

std::optional<Result> Server::ChainAnswer(const Update& update, bool is_oldest) const {
  if (applied_.contains(update.id)) return Result{"duplicate", {}, {}, {}};
  bool past = false, fits = true, unknown = false;
  for (const auto& [realm, link] : update.after) {
    const auto chain = chains_.find({realm, update.client});
    const Link last = chain == chains_.end() ? Link{} : chain->second.last;
    if (chain != chains_.end() && !broken_.contains(Break::kForgetRefusals)) {
      const auto refused = chain->second.refused.find(update.id);
      if (refused != chain->second.refused.end()) return refused->second;
    }
    unknown = unknown || (chain == chains_.end() && link.seq > 0);
    past = past || link.seq < last.seq;
    fits =
        fits && (link == last || (broken_.contains(Break::kSeqWithoutId) && link.seq == last.seq));
  }
  if (past) return Result{"forked", {}, {}, {}};
  if (unknown && is_oldest) return Result{"unknown_client", {}, {}, {}};
  if (!fits) return Result{"held", {}, {}, {}};
  return std::nullopt;
}

// A row that the author may only read cannot be changed. A row that he may not read counts as
// missing, but its id is in use, also after a delete.
bool Server::IsForbidden(const Op& op, const Rights& rights) const {
  const auto last = last_.find(op.key);
  if (last == last_.end()) return false;
  const May right = RightIn(rights, last->second);
  if (right == May::kNothing) return op.op == "create";
  return right == May::kRead && rows_.contains(op.key);
}

Result Server::Push(const Update& update, bool is_oldest, double now, const Rights& rights,
                    bool is_known) {
  if (std::optional<Result> answer = ChainAnswer(update, is_oldest)) return *answer;
  Result result{"applied", {}, {}, {}};
  for (const std::string& action : update.actions) {
    const auto found = actions_.find(action);
    if (found == actions_.end() || broken_.contains(Break::kNoActionIds)) continue;
    for (const auto& [realm, link] : update.after) {
      if (found->second.contains(realm)) result.known.insert(action);
    }
  }
  const Rows before = rows_;
  const std::map<Key, std::string> last_before = last_;
  bool is_forbidden = false;
  for (const auto& [realm, link] : update.after)
    is_forbidden = is_forbidden || RightIn(rights, realm) != May::kWrite;
  if (result.known.empty() && is_known) {
    for (size_t i = 0; i < update.ops.size(); ++i) {
      Op op = update.ops[i];
      is_forbidden = is_forbidden || IsForbidden(op, rights);
      const auto row = rows_.find(op.key);
      if (row != rows_.end() && RightIn(rights, row->second.realm) == May::kNothing) {
        result.noops.push_back(static_cast<uint32_t>(i));
        continue;
      }
      if (row != rows_.end())
        op.realm = row->second.realm;  // the row's actual realm decides where an op lands
      const std::string& lands = op.op == "move" ? op.to : op.realm;
      if (!FoldOp(op, now, head(lands) + 1, false, &rows_))
        result.noops.push_back(static_cast<uint32_t>(i));
      if (const auto now_there = rows_.find(op.key); now_there != rows_.end())
        last_[op.key] = now_there->second.realm;
    }
    FillDefaults(&rows_);
    FollowParents(MovedSince(before), now, rights);
    CascadeDeletes();
    SetNulls(now);
  }
  if (!result.known.empty() || !is_known || is_forbidden || BreaksRule()) {
    rows_ = before;
    last_ = last_before;
    result.status = "rejected";
    result.noops.clear();
    // Kept in a realm that the author may write, if there is one.
    std::string kept = update.after.begin()->first;
    for (const auto& [realm, link] : update.after) {
      if (RightIn(rights, kept) != May::kWrite) kept = realm;
    }
    if (RightIn(rights, kept) != May::kWrite) kept = update.after.begin()->first;
    chains_[{kept, update.client}].refused[update.id] = result;
    return result;
  }
  TouchMasters(before, now);
  for (const auto& [key, row] : rows_) last_[key] = row.realm;
  Log(update, before, now);
  return result;
}

// ---- what follows from the ops, after the whole update ----

Key Server::TargetKey(const Ref& ref, const Row& row) const {
  const auto value = row.props.find(ref.prop);
  return value == row.props.end() ? Key() : ref.target + "/" + value->second.as_string();
}

const Row* Server::TargetOf(const Ref& ref, const Row& row) const {
  const auto found = rows_.find(TargetKey(ref, row));
  return found == rows_.end() ? nullptr : &found->second;
}

void Server::Stamp(double at, Row* row) const {
  row->modified = at;
  row->revision = head(row->realm) + 1;
}

Names Server::MovedSince(const Rows& before) const {
  Names moved;
  for (const auto& [key, row] : before) {
    const std::optional<Row> now = Find(rows_, key);
    if (now && now->realm != row.realm) moved.insert(key);
  }
  return moved;
}

// A child is in the realm of its parent, by a ref that cascades. A row that an op moved stays in
// its target realm. Rows follow one by one, first those whose parent stays, because rows may be
// each other's parents in a ring. A row cannot follow to a realm that the author may not write; it
// has then lost its parent.
void Server::FollowParents(const Names& moved, double at, const Rights& rights) {
  for (int step = 0;; ++step) {
    SKERRY_CHECK(step < 1000);
    std::map<Key, Key> going;  // to the parent
    for (const auto& [key, row] : rows_) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || ref.rule != Rule::kCascade || moved.contains(key))
          continue;
        const Row* parent = TargetOf(ref, row);
        if (parent && parent->realm != row.realm) going.emplace(key, TargetKey(ref, row));
      }
    }
    if (going.empty()) return;
    auto next = std::find_if(going.begin(), going.end(),
                             [&](const auto& child) { return !going.contains(child.second); });
    if (next == going.end()) next = going.begin();
    const std::string& realm = rows_.at(next->second).realm;
    if (RightIn(rights, realm) != May::kWrite) {
      rows_.erase(next->first);
      continue;
    }
    Row& row = rows_.at(next->first);
    row.realm = realm;
    Stamp(at, &row);
  }
}

// Includes children that the author never saw.
void Server::CascadeDeletes() {
  for (bool again = true; again;) {
    again = false;
    for (auto row = rows_.begin(); row != rows_.end();) {
      bool orphan = false;
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(row->first) || ref.rule != Rule::kCascade) continue;
        orphan = orphan || (row->second.props.contains(ref.prop) && !TargetOf(ref, row->second));
      }
      again = again || orphan;
      row = orphan ? rows_.erase(row) : std::next(row);
    }
  }
}

void Server::SetNulls(double at) {
  for (auto& [key, row] : rows_) {
    for (const Ref& ref : tables_.refs) {
      if (ref.table != TableOf(key) || ref.rule != Rule::kSetNull || !row.props.contains(ref.prop))
        continue;
      const Row* target = TargetOf(ref, row);
      if (target && target->realm == row.realm) continue;
      row.props.erase(ref.prop);
      Stamp(at, &row);
    }
  }
}

// Whether a ref leads out of its realm or to a missing row, or a unique value occurs twice.
bool Server::BreaksRule() const {
  std::set<std::pair<std::string, std::string>> values;
  for (const auto& [key, row] : rows_) {
    for (const Ref& ref : tables_.refs) {
      if (ref.table != TableOf(key) || !row.props.contains(ref.prop)) continue;
      const Row* target = TargetOf(ref, row);
      if (!target || target->realm != row.realm) return true;
    }
    for (const auto& [table, prop] : tables_.unique) {
      if (table != TableOf(key) || !row.props.contains(prop)) continue;
      const std::string value =
          std::to_string(static_cast<int64_t>(row.props.at(prop).as_number()));
      if (!values.insert({row.realm + "/" + table + "/" + prop, value}).second) return true;
    }
  }
  return false;
}

// Touches the masters of changed rows, before and after, and their masters.
void Server::TouchMasters(const Rows& before, double at) {
  Names changed;
  for (const Rows* side : {&before, const_cast<const Rows*>(&rows_)}) {
    for (const auto& [key, row] : *side) {
      if (Find(before, key) != Find(rows_, key)) changed.insert(key);
    }
  }
  const Names by_itself = changed;
  Vector<Key> queue(changed.begin(), changed.end());
  while (!queue.empty()) {
    const Key key = queue.back();
    queue.pop_back();
    Vector<Row> versions;
    if (const std::optional<Row> row = Find(rows_, key)) versions.push_back(*row);
    const std::optional<Row> old = Find(before, key);
    if (old && by_itself.contains(key)) versions.push_back(*old);
    for (const Row& row : versions) {
      for (const Ref& ref : tables_.refs) {
        if (ref.table != TableOf(key) || !ref.touch) continue;
        const Key master = TargetKey(ref, row);
        const auto found = rows_.find(master);
        if (found == rows_.end() || found->second.realm != row.realm ||
            !changed.insert(master).second)
          continue;
        Stamp(at, &found->second);
        queue.push_back(master);
      }
    }
  }
}

void Server::Log(const Update& update, const Rows& before, double at) {
  for (const std::string& realm : realms_) {
    Rows state;
    for (const auto& [key, row] : rows_) {
      if (row.realm == realm) state[key] = row;
    }
    const bool declared = update.after.contains(realm);
    if (!declared && state == states_[realm].back()) continue;
    Entry entry{at, update.client, update.id, {}, {}, declared};
    if (declared) {
      entry.actions = update.actions;
      for (const Op& op : update.ops) {
        if (op.realm == realm) entry.ops.push_back(op);
      }
      for (const std::string& action : update.actions) actions_[action].insert(realm);
    }
    log_[realm].push_back(std::move(entry));
    states_[realm].push_back(std::move(state));
  }
  for (const auto& [realm, link] : update.after) {
    chains_[{realm, update.client}] = {{link.seq + 1, update.id}, {}};
  }
  applied_.insert(update.id);
  static_cast<void>(before);
}

}  // namespace skerry::test::naive
