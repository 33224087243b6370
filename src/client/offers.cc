#include "client/offers.h"

#include <utility>

#include "base/map.h"
#include "model/members.h"

namespace skerry {
namespace {

class OfferMaker {
 public:
  OfferMaker(const View* view, const OfferedRealm* offered, UuidGenerator* ids)
      : view_(view), schema_(&view->schema()), offered_(offered), ids_(ids) {}

  Vector<Mutation> Run() {
    if (IsOwnRealm(*view_, *offered_)) Found();
    for (const TableDef& table : schema_->tables()) {
      if (table.index == schema_->members()) continue;
      for (const auto& [id, realm] : view_->BaseKeys(table.index)) {
        if (realm == offered_->realm) OfferAfterParents(KeyIn(*schema_, table.index, id, realm));
      }
    }
    Close();
    return std::move(made_);
  }

 private:
  void Found() {
    const TableIndex members = schema_->members();
    const std::string own = MembershipId(offered_->realm, *offered_->user);
    Open("skerry/found", "{\"realm\":\"" + offered_->realm + "\"}");
    for (const auto& [id, realm] : view_->BaseKeys(members)) {
      if (realm != offered_->realm) continue;
      const ObjectKey key = KeyIn(*schema_, members, id, realm);
      if (id == own) {
        Give(key, OpKind::kCreate, *view_->GetBase(realm, key));
      } else {
        Offer(key, OpKind::kOffer);
      }
    }
    Close();
  }

  // Without recursion, because rows may form long chains.
  void OfferAfterParents(const ObjectKey& first) {
    Vector<std::pair<ObjectKey, bool>> left;  // and whether its parents have come
    left.push_back({first, false});
    while (!left.empty()) {
      const auto [key, is_ready] = left.back();
      left.pop_back();
      if (is_ready) {
        Offer(key, OpKind::kOffer);
        continue;
      }
      if (!seen_.insert(key).second) continue;
      left.push_back({key, true});
      const std::optional<Row> row = view_->Visible(key);
      if (!row) continue;
      const TableDef& table = schema_->table(key.table);
      for (size_t i = 0; i < table.props.size(); ++i) {
        const TableIndex parent = table.props[i].ref_table;
        if (parent == kNone || row->props[i].is_null()) continue;
        ObjectKey target = KeyIn(*schema_, parent, row->props[i].text(), offered_->realm);
        if (view_->GetBase(offered_->realm, target)) left.push_back({std::move(target), false});
      }
    }
  }

  void Offer(const ObjectKey& key, OpKind kind) {
    const std::optional<Row> row = view_->Visible(key);
    if (row && row->realm == offered_->realm) Give(key, kind, *row);
  }

  void Give(const ObjectKey& key, OpKind kind, const Row& row) {
    Op op = NewOp(kind, key, offered_->realm);
    op.by = {0};
    for (size_t i = 0; i < row.props.size(); ++i) {
      if (row.props[i].is_null()) continue;
      // The server notes who has invited, and asks the invited again.
      if (key.table == schema_->members() && i > kMemberRole) continue;
      op.set.push_back({static_cast<PropIndex>(i), row.props[i]});
    }
    if (!is_open_) Open("skerry/offer", "null");
    Vector<Op>& ops = made_.back().ops;
    bytes_ += op.content_bytes();
    ops.push_back(std::move(op));
    if (ops.size() >= kMaxOffersPerMutation || bytes_ >= kMaxOfferedBytes) Close();
  }

  void Open(const char* name, std::string arg) {
    Mutation& mutation = made_.emplace_back();
    mutation.action = {ids_->Next(offered_->at), name, std::move(arg), offered_->at};
    mutation.base.emplace_back(offered_->realm, 0);
    is_open_ = true;
    bytes_ = 0;
  }
  void Close() { is_open_ = false; }

  const View* view_;
  const Schema* schema_;
  const OfferedRealm* offered_;
  UuidGenerator* ids_;
  Vector<Mutation> made_;
  Set<ObjectKey> seen_;
  size_t bytes_ = 0;
  bool is_open_ = false;
};

}  // namespace

bool IsOwnRealm(const View& view, const OfferedRealm& offered) {
  const TableIndex members = view.schema().members();
  if (!offered.user || members == kNone || !IsFoundable(offered.realm)) return false;
  const auto own = view.GetBase(
      offered.realm,
      KeyIn(view.schema(), members, MembershipId(offered.realm, *offered.user), offered.realm));
  return own && RoleOf(own->props[kMemberRole]) == MemberRole::kOwner;
}

Vector<Mutation> MakeOffers(const View& view, const OfferedRealm& offered, UuidGenerator* ids) {
  return OfferMaker(&view, &offered, ids).Run();
}

}  // namespace skerry
