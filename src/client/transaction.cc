#include "client/transaction.h"

#include <algorithm>

#include "base/json.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/moves.h"
#include "client/owner_rule.h"
#include "client/unique_rule.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/stream_name.h"
#include "log/wire.h"

namespace skerry {
namespace {

Status Malformed(const TableDef& table, PropIndex prop) {
  return {Code::kInvalidArgument,
          table.name + "." + table.props[prop].name + ": an envelope that does not hold its type"};
}

// A cheap upper bound comes first: JSON text is at most six times as long as the value (base64 and
// escapes).
Status CheckSize(const TableDef& table, const Vector<Value>& props) {
  size_t bound = 2;
  for (PropIndex i = 0; i < props.size(); ++i) {
    const PropType type = table.props[i].type;
    const bool is_json = type == PropType::kJson || type == PropType::kClass;
    if (is_json && JsonDepth(props[i].text()) > kMaxClassValueDepth)
      return TooDeep("a value", kMaxClassValueDepth);
    bound += table.props[i].name.size() * 6 + 32 + props[i].text().size() * 6;
  }
  if (bound <= kMaxObjectBytes) return Status::Ok();
  Data object = Data::MakeObject();
  for (PropIndex i = 0; i < props.size(); ++i) {
    if (props[i].is_null()) continue;
    object.Set(table.props[i].name, ValueToData(table.props[i], props[i], true));
  }
  if (WriteJson(object).size() <= kMaxObjectBytes) return Status::Ok();
  return {Code::kLimit, "an object of " + table.name + " would be larger than 1 MiB"};
}

// An estimate of a mutation's encoded size, without the names of tables and props: comparisons with
// a limit leave a quarter for these.
size_t Estimate(const Mutation& mutation) {
  size_t bound = mutation.action.name.size() + mutation.action.arg.size();
  for (const Op& op : mutation.ops)
    bound += 32 + op.id.size() + op.realm.size() + op.content_bytes();
  return bound;
}

std::string OpsToJson(const Schema& schema, const Vector<Op>& ops) {
  Data list = Data::MakeArray();
  for (const Op& op : ops) list.Push(OpToData(schema, op, 1));
  return WriteJson(list);
}

}  // namespace

Status TooDeep(const char* what, size_t most) {
  return {Code::kLimit,
          std::string(what) + " is nested deeper than " + std::to_string(most) + " levels"};
}

Transaction::Transaction(View* view, UuidGenerator* ids, Options options)
    : view_(view),
      schema_(&view->schema()),
      ids_(ids),
      options_(std::move(options)),
      rights_(view, options_.user) {}

Status Transaction::Begin(double at, uint64_t serial) {
  if (open()) return {Code::kInvalidArgument, "a transaction is open already"};
  SKERRY_RETURN_IF_ERROR(CheckTime(Data(at)));
  pending_ = std::make_unique<Pending>();
  pending_->serial = serial;
  pending_->mutation.action.at = at;
  repeats_ = false;
  undoes_ = false;
  made_ = 0;
  rights_.Reset();
  changed_.Reset();
  view_->ReportTo(&changed_);
  return Status::Ok();
}

Result<OpOutcome> Transaction::Apply(TxCall call, TableIndex index, const Data& operation) {
  if (!open()) return Status(Code::kInvalidArgument, "no transaction is open");
  if (index >= schema_->tables().size()) {
    return Status(Code::kUnknownTable, "there is no such table");
  }
  const TableDef& table = schema_->table(index);
  OpInput input;
  SKERRY_RETURN_IF_ERROR(ReadOperation(call, table, operation, &input));
  if (call == TxCall::kCreate) return Create(table, std::move(input));
  if (input.id.empty()) return Status(Code::kInvalidId, "an id is needed");
  std::string realm;  // the realm of a move is its target
  if (call != TxCall::kMove) realm = input.realm;
  // An upsert is of the row that a create would make.
  if (call == TxCall::kUpsert && realm.empty() && table.custom_ids) {
    Vector<Value> props(table.props.size());
    for (const PropValue& set : input.set) props[set.prop] = set.value;
    realm = RealmOfNew(table, props);
  }
  const Result<Slot> slot = view_->Locate(index, input.id, realm, options_.default_realm);
  if (!slot.ok()) return slot.status();
  std::optional<Row> row;
  if (slot.value() != kNoSlot) row = view_->rows(index).Get(slot.value());
  if (IsAnswer(index, input, row)) return Answer(call, std::move(input));
  switch (call) {
    case TxCall::kCreate:
      break;
    case TxCall::kUpsert:
      return Upsert(table, std::move(input), row);
    case TxCall::kUpdate:
      return row ? Update(table, input, *row) : OpOutcome{};
    case TxCall::kInc:
      return row ? Inc(table, input, *row) : OpOutcome{};
    case TxCall::kDelete:
      return row ? Delete(table, input, *row) : OpOutcome{};
    case TxCall::kMove:
      return row ? Move(table, input, *row) : OpOutcome{};
    case TxCall::kAppend:
      break;
  }
  return OpOutcome{};
}

Status Transaction::Again(std::string_view id) {
  if (!open()) return {Code::kInvalidArgument, "no transaction is open"};
  SKERRY_RETURN_IF_ERROR(CheckUuid(Data(std::string(id))));
  pending_->mutation.action.id = id;
  pending_->mutation.action.is_replayed = options_.pushed;
  return Status::Ok();
}

Result<OpOutcome> Transaction::AppendTo(const Data& operation) {
  if (!open()) return Status(Code::kInvalidArgument, "no transaction is open");
  const Data::Array& parts = operation.items();
  if (parts.size() != 2) return Status(Code::kInvalidArgument, "an append has a name and a realm");
  SKERRY_RETURN_IF_ERROR(CheckName("the name of a stream", parts[0].as_string(), kMaxNameBytes));
  if (IsStreamPrefix(parts[0].as_string()))
    return Status(Code::kInvalidArgument, "the name of a stream does not end with *");
  Op op;
  op.kind = OpKind::kAppend;
  op.stream = parts[0].as_string();
  op.realm = parts[1].is_null() ? options_.default_realm : parts[1].as_string();
  SKERRY_RETURN_IF_ERROR(CheckName("a realm", op.realm, kMaxIdBytes));
  for (const Op& other : pending_->mutation.ops) {
    if (other.Has(kOnStream) && other.realm == op.realm && other.stream == op.stream)
      return Status(Code::kInvalidArgument, "an action is appended to a stream once");
  }
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  return OpOutcome{true, {}};
}

Status Transaction::CreateMany(TableIndex index, const Data& batch, std::string* made) {
  if (!open()) return {Code::kInvalidArgument, "no transaction is open"};
  const TableDef& table = schema_->table(index);
  const Data::Array& parts = batch.items();
  if (parts.empty()) return {Code::kInvalidArgument, "a batch of creates has names and rows"};
  const Data::Array& names = parts[0].items();
  Vector<PropIndex> props;
  for (const Data& name : names) props.push_back(table.FindProp(name.as_string()));
  for (size_t i = 1; i < parts.size(); ++i) {
    OpInput input;
    SKERRY_RETURN_IF_ERROR(ReadRow(table, names, props, parts[i], &input));
    const bool is_named = !input.id.empty();
    const Result<OpOutcome> outcome = Create(table, std::move(input));
    if (!outcome.ok()) return outcome.status();
    if (!is_named) *made += outcome.value().id;
  }
  return Status::Ok();
}

Status Transaction::Append(Op op) {
  SKERRY_RETURN_IF_ERROR(rights_.Check(op));
  Add(std::move(op));
  return Status::Ok();
}

void Transaction::Add(Op op) {
  op.by = {0};
  pending_->mutation.ops.push_back(std::move(op));
  if (!view_->AppendOp(pending_.get())) repeats_ = true;
}

// Where a create goes that names no realm: to its parent, because refs do not lead to other realms.
std::string Transaction::RealmOfNew(const TableDef& table, const Vector<Value>& props) const {
  for (PropIndex i = 0; i < props.size(); ++i) {
    const PropDef& prop = table.props[i];
    if (prop.on_delete != OnDelete::kCascade || props[i].is_null()) continue;
    const Result<Slot> parent =
        view_->Locate(prop.ref_table, props[i].text(), {}, options_.default_realm);
    if (!parent.ok() || parent.value() == kNoSlot) continue;
    const RowStore& parents = view_->rows(prop.ref_table);
    return std::string(parents.GetValue(parent.value(), kRealmColumn).text());
  }
  return options_.default_realm;
}

std::string Transaction::NewId() {
  const Action& action = pending_->mutation.action;
  return action.id.empty() ? ids_->Next(action.at) : DerivedUuid(action.id, ++made_);
}

Result<OpOutcome> Transaction::Create(const TableDef& table, OpInput input) {
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  if (input.id.empty()) {
    if (table.custom_ids) return Status(Code::kInvalidId, table.name + " needs an id of your own");
    input.id = NewId();
  }
  if (!input.malformed.empty()) return Malformed(table, input.malformed[0]);
  Vector<Value> props(table.props.size());
  Vector<bool> given(table.props.size());
  for (PropValue& set : input.set) {
    given[set.prop] = true;
    props[set.prop] = std::move(set.value);
  }
  Op op = NewOp(OpKind::kCreate, {table.index, input.id},
                input.realm.empty() ? RealmOfNew(table, props) : input.realm);
  if (view_->rows(table.index).Find(input.id, op.realm) != kNoSlot) {
    return Status(Code::kConflict, "an object " + input.id + " of " + table.name + " exists");
  }
  op.set.reserve(props.size());
  for (PropIndex i = 0; i < props.size(); ++i) {
    const PropDef& prop = table.props[i];
    if (!given[i] && prop.has_default) props[i] = prop.default_value;
    if (props[i].is_null() && !prop.optional) {
      return Status(Code::kMissingProp, table.name + "." + prop.name + " is required");
    }
    if (!props[i].is_null()) op.set.push_back({i, props[i]});
  }
  SKERRY_RETURN_IF_ERROR(CheckSize(table, props));
  SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  return OpOutcome{true, std::move(input.id)};
}

Result<OpOutcome> Transaction::Upsert(const TableDef& table, OpInput input,
                                      const std::optional<Row>& row) {
  if (!row) return Create(table, std::move(input));
  for (PropValue& set : input.set) {
    if (set.value.is_null() && !table.props[set.prop].optional) {
      return Status(Code::kMissingProp,
                    table.name + "." + table.props[set.prop].name + " is required");
    }
    const Value& present = row->props[set.prop];
    const bool is_role = table.index == schema_->members() && set.prop == kMemberRole;
    if (is_role && KeepsRole(present, set.value)) set.value = present;
  }
  Result<OpOutcome> outcome = Update(table, input, *row);
  if (outcome.ok()) outcome.value().id = std::move(input.id);
  return outcome;
}

Result<OpOutcome> Transaction::Update(const TableDef& table, const OpInput& input, const Row& row) {
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  Op op = NewOp(OpKind::kUpdate, {table.index, input.id}, row.realm);
  Vector<Value> props = row.props;
  for (const PropValue& set : input.set) {
    if (props[set.prop] == set.value) continue;
    // Only for a prop that changes: the present value may be written back as it was read.
    for (const PropIndex prop : input.malformed) {
      if (prop == set.prop) return Malformed(table, prop);
    }
    props[set.prop] = set.value;
    op.set.push_back(set);
  }
  if (op.set.empty()) return OpOutcome{};
  SKERRY_RETURN_IF_ERROR(CheckSize(table, props));
  SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  return OpOutcome{true, {}};
}

Result<OpOutcome> Transaction::Inc(const TableDef& table, const OpInput& input, const Row& row) {
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  Op op = NewOp(OpKind::kInc, {table.index, input.id}, row.realm);
  for (const PropAdd& add : input.add) {
    if (add.by != 0) op.add.push_back(add);
  }
  if (op.add.empty()) return OpOutcome{};
  SKERRY_RETURN_IF_ERROR(Append(std::move(op)));
  return OpOutcome{true, {}};
}

Result<OpOutcome> Transaction::Delete(const TableDef& table, const OpInput& input, const Row& row) {
  SKERRY_RETURN_IF_ERROR(CheckRoom(1));
  SKERRY_RETURN_IF_ERROR(Append(NewOp(OpKind::kDelete, {table.index, input.id}, row.realm)));
  return OpOutcome{true, {}};
}

Result<OpOutcome> Transaction::Move(const TableDef& table, const OpInput& input, const Row& row) {
  if (input.realm.empty()) return Status(Code::kInvalidArgument, "a move needs the realm");
  if (input.realm == row.realm) return OpOutcome{};
  const ObjectKey key = KeyIn(*schema_, table.index, input.id, row.realm);
  Vector<Op> ops;
  const Status status = CollectMoves(view_, {key, row.realm, input.realm}, &ops);
  for (const Op& each : ops) SKERRY_RETURN_IF_ERROR(rights_.Check(each));
  SKERRY_RETURN_IF_ERROR(status);
  SKERRY_RETURN_IF_ERROR(CheckRoom(ops.size()));
  for (Op& each : ops) Add(std::move(each));
  return OpOutcome{true, {}};
}

// `restrict` is checked after the whole transaction, so that a parent and its children may be
// deleted in either order.
Status Transaction::CheckRestricts() {
  for (const ObjectKey& key : changed_.hidden()) {
    if (view_->Visible(key)) continue;
    for (const BackRef& back : schema_->back_refs(key.table)) {
      const TableDef& table = schema_->table(back.table);
      if (table.props[back.prop].on_delete != OnDelete::kRestrict) continue;
      Vector<Slot> slots;
      view_->ChildrenOf(back.table, back.prop, key.id, &slots);
      if (slots.empty()) continue;
      return {Code::kConflict, "restrict: " + table.name + " " +
                                   view_->rows(back.table).Id(slots[0]) + " refers to " +
                                   schema_->table(key.table).name + " " + key.id};
    }
  }
  return Status::Ok();
}

void Transaction::Reduce() {
  if (!repeats_) return;
  Vector<Op>& ops = pending_->mutation.ops;
  Vector<Op> reduced = FoldOps(*schema_, ops);
  if (reduced.size() == ops.size()) return;
  view_->Detach(pending_.get());
  ops = std::move(reduced);
  view_->Attach(pending_.get());
  view_->Derive();
}

// Checked here, because the server would reject the update for ever.
Status Transaction::CheckBytes(bool argument_is_ops) const {
  const Mutation& mutation = pending_->mutation;
  if (options_.pushed) SKERRY_RETURN_IF_ERROR(CheckSpread());
  const size_t estimate = Estimate(mutation);
  if (estimate > kMaxMutationBytes / 4 * 3 &&
      EncodeMutation(*schema_, mutation).size() > kMaxMutationBytes)
    return {Code::kLimit, "a transaction is at most 4 MiB, its argument included"};
  // In JSON, a byte becomes at most six bytes.
  if (!options_.pushed || estimate <= kMaxBodyBytes / 6 / 4 * 3) return Status::Ok();
  const size_t argument = mutation.action.arg.size();
  const size_t sent =
      argument + (argument_is_ops ? argument : OpsToJson(*schema_, mutation.ops).size());
  if (sent <= kMaxBodyBytes - kMaxRequestOverheadBytes) return Status::Ok();
  return {Code::kLimit, "a transaction is at most 8 MiB as JSON, its argument included"};
}

Result<std::unique_ptr<Pending>> Transaction::Commit(std::string_view name, const Data& arg) {
  if (!open()) return Status(Code::kInvalidArgument, "no transaction is open");
  if (!arg.is_null() && !arg.is_string())
    return Status(Code::kInvalidArgument, "an action's argument is JSON text");
  SKERRY_RETURN_IF_ERROR(CheckAction(name, arg.as_string()));
  SKERRY_RETURN_IF_ERROR(CheckRestricts());
  Reduce();
  Mutation& mutation = pending_->mutation;
  if (mutation.ops.empty()) {
    Rollback();
    return std::unique_ptr<Pending>();
  }
  // After the whole transaction, so that two rows may exchange their values.
  SKERRY_RETURN_IF_ERROR(CheckUniqueAfter(view_, mutation.ops));
  SKERRY_RETURN_IF_ERROR(CheckOwnersAfter(*view_, mutation.ops));
  if (mutation.action.name.empty()) mutation.action.name = name;
  if (arg.is_string()) {
    mutation.action.arg = arg.as_string();
  } else if (options_.pushed && !undoes_) {
    mutation.action.arg = OpsToJson(*schema_, mutation.ops);
  }
  SKERRY_RETURN_IF_ERROR(CheckAppends());
  SKERRY_RETURN_IF_ERROR(CheckBytes(!arg.is_string()));
  if (mutation.action.id.empty()) mutation.action.id = ids_->Next(mutation.action.at);
  view_->ReportTo(nullptr);
  if (options_.pushed) pending_->before = changed_.Encode(*view_);
  return std::move(pending_);
}

void Transaction::Rollback() {
  if (!open()) return;
  view_->ReportTo(nullptr);
  view_->Detach(pending_.get());
  view_->Derive();
  pending_.reset();
}

}  // namespace skerry
