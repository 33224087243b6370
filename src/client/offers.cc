#include "client/offers.h"

#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/cursor.h"
#include "log/mutation_record.h"
#include "log/own_record.h"
#include "log/transaction_builder.h"
#include "model/members.h"

namespace skerry {
namespace {

Op GiveBack(OpKind kind, const ObjectKey& key, const Row& row) {
  Op op = NewOp(kind, key, row.realm);
  op.by = {0};
  return op;
}

// The server notes who has invited, and asks the invited again.
Op GiveMember(OpKind kind, const ObjectKey& key, const Row& row) {
  Op op = GiveBack(kind, key, row);
  for (PropIndex i = 0; i <= kMemberRole; ++i) {
    if (!row.props[i].is_null()) op.set.push_back({i, row.props[i]});
  }
  return op;
}

}  // namespace

bool IsOwnRealm(const View& view, const OfferedRealm& offered) {
  const TableIndex members = view.schema().members();
  if (!offered.user || members == kNone || !IsFoundable(offered.realm)) return false;
  const auto own = view.GetBase(
      offered.realm,
      KeyIn(view.schema(), members, MembershipId(offered.realm, *offered.user), offered.realm));
  return own && RoleOf(own->props[kMemberRole]) == MemberRole::kOwner;
}

Mutation MakeFounding(const View& view, const OfferedRealm& offered, UuidGenerator* ids) {
  const TableIndex members = view.schema().members();
  const std::string own = MembershipId(offered.realm, *offered.user);
  Mutation mutation;
  mutation.action = {ids->Next(offered.at), "skerry/found", "{\"realm\":\"" + offered.realm + "\"}",
                     offered.at};
  mutation.base.emplace_back(offered.realm, 0);
  for (const auto& [id, realm] : view.BaseKeys(members)) {
    if (realm != offered.realm) continue;
    const ObjectKey key = KeyIn(view.schema(), members, id, realm);
    const std::optional<Row> shown = view.Visible(key);
    if (id == own) {
      mutation.ops.push_back(GiveMember(OpKind::kCreate, key, *view.GetBase(realm, key)));
    } else if (shown) {
      mutation.ops.push_back(GiveMember(OpKind::kOffer, key, *shown));
    }
  }
  return mutation;
}

Vector<OwnDelete> OwnDeletes(const Schema& schema, const Data& own, const std::string& realm) {
  Vector<OwnDelete> deletes;
  for (const Data& row : own.items()) {
    const OwnRecord record = OwnRecord::Read(RowValue(row));
    const auto revision = record.revisions.find(realm);
    // An earlier release has noted no times.
    if (revision == record.revisions.end() || !record.times) continue;
    const auto at = record.times->find(realm);
    const Result<Mutation> read = DecodeMutation(schema, record.body);
    if (at == record.times->end() || !read.ok()) continue;
    for (const Op& op : RowOps(read.value().ops)) {
      if (op.Has(kDeletes) && op.realm == realm && op.of.empty())
        deletes.push_back({record.id, KeyOf(schema, op), revision->second, at->second});
    }
  }
  return deletes;
}

void Offering::Begin(std::string realm, std::string cursor, std::string client, Own own) {
  realm_ = std::move(realm);
  cursor_ = std::move(cursor);
  client_ = std::move(client);
  deletes_ = std::move(own.deletes);
  appends_.Begin(realm_, std::move(own.appends));
  is_asked_ = false;
  offered_.clear();
  next_ = asked_ = 0;
  given_.clear();
  checks_ = false;
  not_taken_ = {};
  not_taken_.realm = realm_;
}

Offering::Request Offering::Ask(UuidGenerator* ids, double now) {
  if (has_rows()) return {"/offer", AskRows()};
  return {"/push", appends_.Ask(ids, now)};
}

std::string Offering::AskRows() {
  Data ops = Data::MakeArray(), times = Data::MakeArray();
  size_t bytes = 0;
  for (asked_ = 0; next_ + asked_ < offered_.size(); ++asked_) {
    if (asked_ == kMaxOffersAtOnce || bytes >= kMaxOfferedBytes) break;
    const auto& [key, deleted] = offered_[next_ + asked_];
    if (deleted != nullptr) {
      Op op = NewOp(OpKind::kDelete, key, realm_);
      op.by = {0};
      ops.Push(OpToData(*schema_, op, 1));
      times.Push(deleted->at);
      continue;
    }
    // Nothing of a realm is folded while it is offered.
    const std::optional<Row> row = view_->GetBase(realm_, key);
    if (!row) break;
    Op op = GiveBack(OpKind::kOffer, key, *row);
    // Also what is null: somebody may have cleared it.
    const TableDef& table = schema_->table(key.table);
    for (PropIndex i = 0; i < row->props.size(); ++i) {
      if (!row->props[i].is_null() || table.props[i].optional) op.set.push_back({i, row->props[i]});
    }
    bytes += op.content_bytes();
    ops.Push(OpToData(*schema_, op, 1));
    times.Push(row->modified_at);
  }
  Data body = Data::MakeObject();
  body.Set("client", client_).Set("schema", schema_->version()).Set("realm", realm_);
  body.Set("cursor", cursor_).Set("ops", std::move(ops)).Set("times", std::move(times));
  if (!given_.empty()) body.Set("given", ToData(given_));
  return WriteJson(body);
}

bool Offering::Take(const Data& answer) {
  if (has_rows()) {
    TakeRows(answer);
  } else {
    std::string place = appends_.Take(answer, &not_taken_);
    checks_ = !given_.empty();
    if (checks_ && !place.empty()) given_.push_back(std::move(place));
  }
  return !not_taken_.all && (has_rows() || !appends_.is_done());
}

void Offering::TakeRows(const Data& answer) {
  not_taken_.common = answer["common"].as_u64();
  not_taken_.head = answer["head"].as_string();
  given_.clear();
  if (!not_taken_.head.empty()) given_.push_back(not_taken_.head);
  checks_ = false;
  if (const std::string& code = answer["nothing"].as_string(); !code.empty()) {
    not_taken_.all = {
        code, "The server was restored to an earlier state, and takes nothing back.", {}};
    return;
  }
  if (!is_asked_) {
    is_asked_ = true;
    FindRows(not_taken_.common);
    appends_.LeaveOut(not_taken_.common);
    return;
  }
  for (const Data& refused : answer["refused"].items()) {
    const uint64_t place = refused["op"].as_u64();
    if (place >= asked_) continue;
    const ObjectKey& key = offered_[next_ + place].key;
    LostCause& cause = not_taken_.objects[ObjectText(*schema_, key.table, key.id, realm_)];
    cause = {refused["code"].as_string(), refused["detail"].as_string(), {}};
    for (const Data& prop : refused["props"].items()) cause.props.insert(prop.as_string());
  }
  const uint64_t done = answer["done"].as_u64();
  const size_t end = next_ + (done < asked_ ? done : asked_);
  for (; next_ < end; ++next_) {
    const OwnDelete* deleted = offered_[next_].deleted;
    if (deleted == nullptr || answer["revision"].is_null()) continue;
    not_taken_.given[deleted->action] = {answer["revision"].as_u64(), answer["at"].as_number()};
  }
  // A server that takes nothing of a request takes nothing of the next one.
  if (done == 0) next_ = offered_.size();
}

void Offering::FindRows(uint64_t common) {
  Set<ObjectKey> seen;
  for (const TableDef& table : schema_->tables()) {
    if (table.index == schema_->members()) continue;
    for (const auto& [id, realm] : view_->BaseKeys(table.index)) {
      if (realm == realm_) AddAfterParents(KeyIn(*schema_, table.index, id, realm), common, &seen);
    }
  }
  for (const OwnDelete& deleted : deletes_) {
    // Unless somebody has made it again.
    const bool is_gone = !view_->GetBase(realm_, deleted.key);
    if (deleted.revision > common && is_gone && seen.insert(deleted.key).second)
      offered_.push_back({deleted.key, &deleted});
  }
}

// Without recursion, because rows may form long chains.
void Offering::AddAfterParents(const ObjectKey& first, uint64_t common, Set<ObjectKey>* seen) {
  Vector<std::pair<ObjectKey, bool>> left;  // and whether its parents have come
  left.push_back({first, false});
  while (!left.empty()) {
    const auto [key, is_ready] = left.back();
    left.pop_back();
    if (is_ready) {
      offered_.push_back({key});
      continue;
    }
    const std::optional<Row> row = view_->GetBase(realm_, key);
    // The server has what was not changed since, and what that refers to.
    if (!row || row->revision <= common || !seen->insert(key).second) continue;
    left.push_back({key, true});
    const TableDef& table = schema_->table(key.table);
    for (size_t i = 0; i < table.props.size(); ++i) {
      const TableIndex parent = table.props[i].ref_table;
      if (parent == kNone || row->props[i].is_null()) continue;
      left.push_back({KeyIn(*schema_, parent, row->props[i].text(), realm_), false});
    }
  }
}

}  // namespace skerry
