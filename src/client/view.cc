// The rows of a View: visible ones in the stores; base rows in shadows where they differ.
#include "client/view.h"

#include <algorithm>

#include "base/limits.h"
#include "base/sort.h"
#include "base/vector.h"
#include "client/changed_rows.h"
#include "client/live_query.h"
#include "log/steps_writer.h"

namespace skerry {

View::View(const Schema* schema) : schema_(schema) {
  for (const TableDef& table : schema->tables()) {
    stores_.push_back(std::make_unique<RowStore>(&table));
    Vector<PropIndex> touches;
    Vector<PropIndex> deletes;
    for (PropIndex i = 0; i < table.props.size(); ++i) {
      const PropDef& prop = table.props[i];
      if (prop.type != PropType::kRef) continue;
      if (prop.touch) touches.push_back(i);
      if (prop.on_delete == OnDelete::kCascade || prop.on_delete == OnDelete::kSetNull) {
        deletes.push_back(i);
      }
    }
    touch_props_.push_back(std::move(touches));
    delete_props_.push_back(std::move(deletes));
  }
  dirty_.resize(stores_.size());
  engine_ = std::make_unique<QueryEngine>(schema, this);
}

View::~View() = default;

std::optional<Row> View::Visible(const ObjectKey& key) const {
  const RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id, key.realm);
  if (slot == kNoSlot) return std::nullopt;
  return store.Get(slot);
}

Result<Slot> View::Locate(TableIndex table, std::string_view id, std::string_view realm,
                          std::string_view first) const {
  const RowStore& store = *stores_[table];
  if (!realm.empty() || !store.table().custom_ids) return store.Find(id, realm);
  const Slot slot = store.Find(id, first);
  if (slot != kNoSlot) return slot;
  Vector<Slot> others;
  store.FindAll(id, &others);
  if (others.size() > 1) {
    return Status(Code::kInvalidArgument, "several realms have an object " + std::string(id) +
                                              " of " + store.table().name + ": say which realm");
  }
  return others.empty() ? kNoSlot : others[0];
}

bool View::IsPending(const ObjectKey& key) const {
  const Shadow* shadow = FindShadow(key);
  return shadow != nullptr && (!shadow->ops.empty() || !shadow->cascaded.empty());
}

Vector<std::string> View::PendingOf(const ObjectKey& key) const {
  Vector<std::string> ids;
  const Shadow* shadow = FindShadow(key);
  if (shadow == nullptr) return ids;
  for (const OpRef& op : shadow->ops) {
    const std::string& id = op.pending->mutation.action.id;
    if (ids.empty() || ids.back() != id) ids.push_back(id);
  }
  return ids;
}

const View::Shadow* View::FindShadow(const ObjectKey& key) const {
  const auto it = shadows_.find(key);
  return it == shadows_.end() ? nullptr : &it->second;
}

View::Shadow* View::FindShadow(const ObjectKey& key) {
  const auto it = shadows_.find(key);
  return it == shadows_.end() ? nullptr : &it->second;
}

View::Shadow& View::EnsureShadow(const ObjectKey& key) {
  const auto [place, is_new] = shadows_.try_emplace(key);
  Shadow& shadow = place->second;
  if (!is_new) return shadow;
  if (std::optional<Row> row = Visible(key)) {
    shadow.base.push_back(*row);
    shadow.folded = std::move(row);
    IndexRefs(key, std::nullopt, shadow.folded);
  }
  return shadow;
}

void View::WillChange(const ObjectKey& key, Slot slot) {
  if (live_ != nullptr) live_->WillChange(key);
  if (slot != kNoSlot) dirty_[key.table].push_back(slot);
  if (!changed_objects_.has_value() || changed_objects_->all) return;
  if (changed_objects_->keys.size() == kMaxChangedObjects) return WillChangeAll();
  changed_objects_->keys.insert(key);
}

void View::WillChangeAll() {
  if (changed_objects_.has_value()) *changed_objects_ = {true, {}};
}

void View::SetVisible(const ObjectKey& key, const std::optional<Row>& row) {
  RowStore& store = *stores_[key.table];
  const Slot slot = store.Find(key.id, key.realm);
  if (!row) {
    if (slot == kNoSlot) return;
    if (changed_rows_ != nullptr) changed_rows_->Note(key, slot, store.Get(slot), true);
    WillChange(key, slot);
    store.Erase(key.id, key.realm);
    return;
  }
  std::optional<Row> before;
  if (slot != kNoSlot) before = store.Get(slot);
  if (before == row) return;
  WillChange(key, slot);
  const Slot put = store.Put(key.id, *row);
  if (put != slot) dirty_[key.table].push_back(put);
  if (changed_rows_ == nullptr) return;
  const bool is_touched =
      before.has_value() && before->props == row->props && before->realm == row->realm;
  if (!is_touched) changed_rows_->Note(key, before.has_value() ? slot : put, before, false);
}

std::optional<Row> View::GetBase(std::string_view realm, const ObjectKey& object) const {
  const ObjectKey key = KeyIn(*schema_, object.table, object.id, realm);
  if (const Shadow* shadow = FindShadow(key)) {
    for (const Row& row : shadow->base) {
      if (row.realm == realm) return row;
    }
    return std::nullopt;
  }
  std::optional<Row> row = Visible(key);
  if (row && row->realm != realm) row.reset();
  return row;
}

void View::PutBase(const ObjectKey& object, const Row& row) {
  const ObjectKey key = KeyIn(*schema_, object.table, object.id, row.realm);
  if (FindShadow(key) == nullptr) {
    const RowStore& store = *stores_[key.table];
    const Slot slot = store.Find(key.id, key.realm);
    if (slot == kNoSlot || store.GetValue(slot, kRealmColumn).text() == row.realm) {
      SetVisible(key, row);
      return;
    }
  }
  Vector<Row>& base = EnsureShadow(key).base;
  objects_to_fold_.insert(key);
  const auto it = std::lower_bound(base.begin(), base.end(), row.realm,
                                   [](const Row& a, const std::string& b) { return a.realm < b; });
  if (it != base.end() && it->realm == row.realm) {
    *it = row;
  } else {
    base.insert(it, row);
  }
}

void View::EraseBase(std::string_view realm, const ObjectKey& object) {
  const ObjectKey key = KeyIn(*schema_, object.table, object.id, realm);
  Shadow* shadow = FindShadow(key);
  if (shadow == nullptr) {
    const RowStore& store = *stores_[key.table];
    const Slot slot = store.Find(key.id, key.realm);
    if (slot != kNoSlot && store.GetValue(slot, kRealmColumn).text() == realm)
      SetVisible(key, std::nullopt);
    return;
  }
  objects_to_fold_.insert(key);
  erase_if(shadow->base, [&](const Row& row) { return row.realm == realm; });
}

Vector<std::pair<std::string, std::string>> View::BaseKeys(TableIndex table) const {
  Vector<std::pair<std::string, std::string>> keys;
  const RowStore& store = *stores_[table];
  for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
    if (!store.IsLive(slot)) continue;
    ObjectKey key = store.Key(slot);
    if (FindShadow(key) != nullptr) continue;
    keys.emplace_back(std::move(key.id), store.GetValue(slot, kRealmColumn).text());
  }
  EachKeptAside(table,
                [&](const std::string& id, const Row& row) { keys.emplace_back(id, row.realm); });
  Sort(keys.begin(), keys.end());
  return keys;
}

// A row without a shadow is its base row. (A row that arrives may be the child of a deleted object:
// if there are cascades at all, Derive evaluates all of them again.)
void View::Touched(std::string_view realm, const ObjectKey& object) {
  const ObjectKey key = KeyIn(*schema_, object.table, object.id, realm);
  if (FindShadow(key) != nullptr) objects_to_fold_.insert(key);
}

RowStore* View::ImageStore(TableIndex table) {
  WillChangeAll();
  if (live_ != nullptr) live_->WillReset();
  return stores_[table].get();
}

void View::ImageExtra(const ObjectKey& key, const Row& row) { PutBase(key, row); }

bool View::IsEmptyAndSettled() const {
  for (const auto& store : stores_) {
    if (store->size() > 0) return false;
  }
  return shadows_.empty() && (live_ == nullptr || live_->IsSettled());
}

void View::ReplaceBase(Base* base) {
  if (IsEmptyAndSettled()) return MoveRows(base, this);
  for (TableIndex table = 0; table < stores_.size(); ++table) {
    for (const auto& [id, realm] : BaseKeys(table)) {
      const ObjectKey key{table, id};
      if (!base->GetBase(realm, key)) EraseBase(realm, key);
    }
    for (const auto& [id, realm] : base->BaseKeys(table)) {
      const ObjectKey key{table, id};
      const std::optional<Row> row = base->GetBase(realm, key);
      if (GetBase(realm, key) != row) PutBase(key, *row);
    }
  }
}

void View::Clear() {
  for (const auto& [key, shadow] : shadows_) SKERRY_CHECK(shadow.ops.empty());
  WillChangeAll();
  if (live_ != nullptr) live_->WillReset();
  for (TableIndex table = 0; table < stores_.size(); ++table) {
    RowStore& store = *stores_[table];
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (store.IsLive(slot)) dirty_[table].push_back(slot);
    }
    store.Clear();
  }
  ForgetShadows();
}

void View::ForgetShadows() {
  shadows_.clear();
  refs_.clear();
  objects_to_fold_.clear();
  affected_.clear();
  gone_.clear();
  touching_.clear();
  changed_.clear();
  latest_at_ = 0;
}

void View::RowsWith(TableIndex table, PropIndex prop, Value value, Vector<Slot>* slots) {
  Query query;
  query.table = table;
  query.where.kind = FilterKind::kEq;
  query.where.column = prop;
  query.where.value = std::move(value);
  engine_->RunSlots(query, slots);
}

void View::ChildrenOf(TableIndex table, PropIndex prop, std::string_view id, Vector<Slot>* slots) {
  RowsWith(table, prop, Value::String(std::string(id)), slots);
}

Vector<Slot> View::TakeDirty(TableIndex table) {
  Vector<Slot> slots = std::move(dirty_[table]);
  dirty_[table].clear();
  SortNumbers(&slots);
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

namespace {

Change ChangeTo(const ObjectKey& key, const Row& row, const Row* base, uint64_t revision) {
  Change change;
  change.kind = base == nullptr ? ChangeKind::kCreate : ChangeKind::kUpdate;
  change.key = {key.table, key.id};
  change.realm = row.realm;
  change.created_at = row.created_at;
  change.modified_at = row.modified_at;
  change.revision = revision;
  for (PropIndex i = 0; i < row.props.size(); ++i) {
    const Value& before = base == nullptr ? Value() : base->props[i];
    if (!(row.props[i] == before)) change.set.push_back({i, row.props[i]});
  }
  return change;
}

Step ChangeStep(Change change) {
  Step step;
  step.kind = StepKind::kChange;
  step.change = std::move(change);
  return step;
}

}  // namespace

// The folded row is the visible one, unless a cascade changes it.
const Row* View::Shown(const ObjectKey& key, const Shadow& shadow,
                       std::optional<Row>* affected) const {
  if (!shadow.cascaded.empty()) *affected = Visible(key);
  const std::optional<Row>& row = shadow.cascaded.empty() ? shadow.folded : *affected;
  return row ? &*row : nullptr;
}

void View::WriteDiff(uint64_t revision, StepsWriter* steps) const {
  for (const auto& [key, shadow] : shadows_) {
    std::optional<Row> affected;
    const Row* row = Shown(key, shadow, &affected);
    const Row* same_realm = nullptr;
    for (const Row& base : shadow.base) {
      if (row != nullptr && base.realm == row->realm) {
        same_realm = &base;
        continue;
      }
      Change gone;
      gone.kind = ChangeKind::kDelete;
      gone.key = {key.table, key.id};
      gone.realm = base.realm;
      gone.revision = revision;
      steps->Add(ChangeStep(std::move(gone)));
    }
    if (row != nullptr && (same_realm == nullptr || !(*same_realm == *row))) {
      steps->Add(ChangeStep(ChangeTo(key, *row, same_realm, revision)));
    }
  }
}

void View::ShownIsBase(uint64_t revision) {
  for (const auto& [key, shadow] : shadows_) {
    std::optional<Row> affected;
    const Row* row = Shown(key, shadow, &affected);
    if (row == nullptr ||
        std::find(shadow.base.begin(), shadow.base.end(), *row) != shadow.base.end()) {
      continue;
    }
    RowStore& store = *stores_[key.table];
    store.SetRevision(store.Find(key.id, key.realm), revision);
  }
  ForgetShadows();
}

}  // namespace skerry
