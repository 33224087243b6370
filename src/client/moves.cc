#include "client/moves.h"

#include "base/limits.h"
#include "base/map.h"

namespace skerry {
namespace {

std::string StaysMessage(const TableDef& table) {
  return table.name + " has application-defined ids: its objects cannot be moved to another realm";
}

class MoveCollector final : public DependantVisitor {
 public:
  MoveCollector(View* view, Vector<Op>* ops) : view_(view), ops_(ops) {}

  Vector<ObjectKey> Children(const BackRef& back, const Departure& parent) override {
    Vector<Slot> slots;
    view_->ChildrenOf(back.table, back.prop, parent.key.id, &slots);
    Vector<ObjectKey> children;
    for (const Slot slot : slots) children.push_back(view_->rows(back.table).Key(slot));
    return children;
  }
  bool IsIn(const ObjectKey& key, const std::string& realm) override {
    const RowStore& store = view_->rows(key.table);
    return store.GetValue(store.Find(key.id, key.realm), kRealmColumn).text() == realm;
  }
  bool Visit(const Departure& parent, const ObjectKey& child, PropIndex prop,
             OnDelete rule) override {
    if (ops_->size() > kMaxOpsPerUpdate) return false;
    if (rule == OnDelete::kCascade) return Move({child, parent.realm, parent.to});
    if (moved_.contains(child)) return false;
    if (rule == OnDelete::kSetNull) {
      ops_->push_back(NewOp(OpKind::kUpdate, child, parent.realm));
      ops_->back().set = {{prop, Value()}};
    } else {
      refused_ = {Code::kConflict, "restrict: " + view_->schema().table(child.table).name + " " +
                                       child.id + " refers to it"};
    }
    return false;
  }

  // Returns false if it moves already.
  bool Move(const Departure& row) {
    const TableDef& table = view_->schema().table(row.key.table);
    if (table.custom_ids) refused_ = {Code::kInvalidArgument, StaysMessage(table)};
    if (!moved_.insert(row.key).second) return false;
    ops_->push_back(NewOp(OpKind::kMove, row.key, row.realm));
    ops_->back().to = row.to;
    return true;
  }
  const Status& refused() const { return refused_; }

 private:
  View* view_;
  Vector<Op>* ops_;
  Set<ObjectKey> moved_;
  Status refused_;
};

}  // namespace

// Two passes: refs that lead from rows that stay to rows that move can only be found once all rows
// that move are known.
Status CollectMoves(View* view, const Departure& root, Vector<Op>* ops) {
  MoveCollector collector(view, ops);
  collector.Move(root);
  Vector<Departure> left{root};
  WalkDependants(view->schema(), kCascadeOnly, &left, &collector);
  for (const Op& op : *ops) left.push_back({KeyOf(view->schema(), op), op.realm, op.to});
  WalkDependants(view->schema(), kNullOrRestrict, &left, &collector);
  return collector.refused();
}

}  // namespace skerry
