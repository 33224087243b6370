#include "client/client.h"

#include <utility>

#include "base/bytes.h"
#include "base/fields.h"
#include "base/vector.h"
#include "client/effect.h"
#include "client/member_rights.h"
#include "log/codec.h"

namespace skerry {
namespace {

std::string DefaultRealm(const ClientOptions& options) {
  if (options.default_realm.has_value()) return *options.default_realm;
  if (!options.remote || !options.user.has_value()) return "local";
  return "user:" + *options.user;
}

// What sk_tx_commit is given.
struct ActionInput {
  std::string name;
  Data arg;                        // its JSON text, or null
  std::optional<uint64_t> amends;  // the entry of the inbox in whose place it is made
  std::optional<bool> undoable;    // as if true
  StreamItem inverse;              // of an action of a stream: what undoes it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("name", self.name);
    member("arg", self.arg);
    member.Optional("amends", self.amends);
    member.Optional("undoable", self.undoable);
    member.Optional("inverseName", self.inverse.name);
    member.Optional("inverseArg", self.inverse.arg);
  }
};

// The ops that append to the same stream once more; none if the mutation does anything else.
std::optional<Vector<Op>> AppendsAgain(const Mutation& mutation) {
  if (mutation.ops.size() != 1 || !mutation.ops[0].Has(kOnStream)) return std::nullopt;
  Vector<Op> ops = mutation.ops;
  ops[0].of.clear();
  return ops;
}

}  // namespace

std::string PackSlots(const Vector<uint32_t>& slots) {
  std::string bytes;
  bytes.reserve(slots.size() * 4);
  for (const uint32_t slot : slots) PutU32(&bytes, slot);
  return bytes;
}

Client::Client(Schema schema, const ClientOptions& options)
    : schema_(std::move(schema)),
      user_(options.user),
      random_(options.seed),
      ids_(&random_),
      view_(&schema_),
      live_(&schema_, &view_),
      engine_(&schema_, &view_),
      tab_(&schema_, &view_,
           {options.tab, options.remote, &ids_, options.user, DefaultRealm(options)}),
      transaction_(&view_, &ids_, {DefaultRealm(options), options.user, options.remote}) {
  view_.set_live(&live_);
}

Result<std::unique_ptr<Client>> Client::Create(Data data) {
  const ClientOptions options = ReadRecord<ClientOptions>(std::move(data));
  if (options.tab.empty() || options.seed.size() < 16) {
    return Status(Code::kInvalidArgument, "a client needs a tab and a seed");
  }
  Result<Schema> schema = Schema::Parse(options.schema);
  if (!schema.ok()) return schema.status();
  return std::unique_ptr<Client>(new Client(std::move(schema.value()), options));
}

Data Client::Handle(Data event) {
  Data effects = Data::MakeArray();
  if (transaction_.open()) {
    effects.Push(ProblemEffect({Code::kInvalidArgument, "an event came inside of a transaction"}));
    return effects;
  }
  tab_.Handle(std::move(event), &effects);
  return effects;
}

Status Client::CheckLogged(std::string_view body) const {
  const Result<Mutation> mutation = DecodeMutation(schema_, body);
  if (!mutation.ok()) return mutation.status();
  return MemberRights(&view_, user_).CheckReadOnly(mutation.value().ops);
}

bool Client::MayWrite(const std::string& realm) const {
  return MemberRights(&view_, user_).MayWrite(realm);
}

Status Client::TxBegin(double now) {
  SKERRY_RETURN_IF_ERROR(tab_.CanWrite());
  undoing_.reset();
  return transaction_.Begin(now + tab_.clock_offset(), tab_.NextSerial());
}

Result<bool> Client::TxAgain(std::string_view id) {
  if (tab_.mirror().pending().Find(id) != nullptr) return false;
  SKERRY_RETURN_IF_ERROR(transaction_.Again(id));
  return true;
}

Result<OpOutcome> Client::TxOp(int number, uint32_t table, const Data& operation) {
  const std::optional<TxCall> call = TxCallOf(number);
  if (!call) return Status(Code::kInvalidArgument, "no such operation");
  if (*call == TxCall::kAppend) return transaction_.AppendTo(operation);
  if (!HasTable(table)) return Status(Code::kUnknownTable, "there is no such table");
  return transaction_.Apply(*call, static_cast<TableIndex>(table), operation);
}

Status Client::TxCreateMany(uint32_t table, const Data& batch, std::string* made) {
  if (!HasTable(table)) return {Code::kUnknownTable, "there is no such table"};
  return transaction_.CreateMany(static_cast<TableIndex>(table), batch, made);
}

// The log may have had it.
Status Client::CheckForgotten(const Mutation& mutation) const {
  if (!mutation.action.is_replayed) return Status::Ok();
  for (const auto& [realm, at] : tab_.mirror().forgotten()) {
    for (const Op& op : mutation.ops) {
      if (op.realm == realm && mutation.action.at <= at)
        return {Code::kOutcomeUnknown, "The server has forgotten the actions of that time."};
    }
  }
  return Status::Ok();
}

Result<Data> Client::TxUndo(UndoWay way) {
  const UndoStep* next = tab_.undo().Next(way);
  if (next == nullptr) return Data();
  Vector<KeptProp> kept;
  undoing_ = way;
  SKERRY_RETURN_IF_ERROR(transaction_.Undo(*next, way, &kept));
  return ToData(kept);
}

Data Client::TxRollback() {
  if (undoing_) tab_.undo().DropNext(*undoing_);
  undoing_.reset();
  transaction_.Rollback();
  Data effects = Data::MakeArray();
  tab_.ShowUndo(&effects);
  return effects;
}

void Client::NoteMade(const Mutation& mutation, bool is_undoable, StreamItem inverse) {
  const std::optional<UndoWay> way = std::exchange(undoing_, std::nullopt);
  UndoStack& undo = tab_.undo();
  const bool is_of_stream = way ? undo.Next(*way)->is_of_stream() : !inverse.name.empty();
  std::optional<Vector<Op>> ops;
  if (is_undoable) ops = is_of_stream ? AppendsAgain(mutation) : transaction_.Inverse(mutation);
  if (way && ops) return undo.Moved(*way, mutation.action.id, std::move(*ops));
  if (way) return undo.DropNext(*way);
  if (ops) undo.Push({mutation.action, mutation.action.id, std::move(*ops), std::move(inverse)});
}

Result<Data> Client::TxCommit(const Data& action) {
  if (transaction_.open()) SKERRY_RETURN_IF_ERROR(CheckForgotten(transaction_.mutation()));
  ActionInput input = ReadRecord<ActionInput>(action);
  Result<std::unique_ptr<Pending>> pending = transaction_.Commit(input.name, input.arg);
  if (!pending.ok()) return pending.status();
  Data effects = Data::MakeArray();
  Data id, name, unfit;
  if (pending.value() != nullptr) {
    const Mutation& made = pending.value()->mutation;
    id = made.action.id;
    name = made.action.name;
    if (!input.inverse.name.empty()) {
      const Status fits = CheckItem(input.inverse);
      if (!fits.ok()) unfit = fits.detail();
      if (!fits.ok()) input.inverse.name.clear();
    }
    const bool is_again = made.action.is_replayed || input.amends.has_value();
    NoteMade(made, !is_again && input.undoable.value_or(true), std::move(input.inverse));
    if (input.amends.has_value()) {
      view_.Detach(pending.value().get());
      view_.Derive();
      tab_.Amend(*input.amends, std::move(pending.value()), &effects);
    } else {
      tab_.Commit(std::move(pending.value()), &effects);
    }
    tab_.RequestValidation(&effects);
    tab_.ShowUndo(&effects);
  }
  return Fields({{"id", std::move(id)},
                 {"name", std::move(name)},
                 {"unfit", std::move(unfit)},
                 {"effects", std::move(effects)}});
}

namespace {

struct Name {
  std::string_view id;
  std::string_view realm;
};

Name NameOf(std::string_view text) {
  const size_t end = text.find('\0');
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

}  // namespace

Result<Slot> Client::Find(uint32_t table, std::string_view name) const {
  if (!HasTable(table)) return kNoSlot;
  const auto [id, realm] = NameOf(name);
  return view_.Locate(static_cast<TableIndex>(table), id, realm, transaction_.default_realm());
}

Status Client::EncodeRow(uint32_t table, Slot slot, std::string* out) const {
  if (!HasTable(table)) return {Code::kUnknownTable, "there is no such table"};
  const RowStore& store = view_.rows(static_cast<TableIndex>(table));
  if (!store.IsLive(slot)) return {Code::kNotFound, "there is no row in this slot"};
  store.EncodeRow(slot, out);
  return Status::Ok();
}

Status Client::EncodeRows(uint32_t table, std::string_view slots, std::string* out) const {
  if (!HasTable(table)) return {Code::kUnknownTable, "there is no such table"};
  const RowStore& store = view_.rows(static_cast<TableIndex>(table));
  Reader reader(slots);
  Vector<Slot> live(slots.size() / sizeof(Slot));
  for (Slot& slot : live) {
    slot = reader.U32();
    if (!store.IsLive(slot)) return {Code::kNotFound, "there is no row in this slot"};
  }
  store.EncodeRows({live.data(), live.size()}, out);
  return Status::Ok();
}

Result<ObjectKey> Client::KeyNamed(uint32_t index, std::string_view name) const {
  const auto table = static_cast<TableIndex>(index);
  const auto [id, realm] = NameOf(name);
  const std::string& first = transaction_.default_realm();
  const Result<Slot> slot = view_.Locate(table, id, realm, first);
  if (!slot.ok()) return slot.status();
  if (slot.value() != kNoSlot) return view_.rows(table).Key(slot.value());
  // It may be deleted.
  return KeyIn(view_.schema(), table, std::string(id), realm.empty() ? first : realm);
}

Result<bool> Client::IsPending(uint32_t table, std::string_view name) const {
  if (!HasTable(table)) return false;
  const Result<ObjectKey> key = KeyNamed(table, name);
  if (!key.ok()) return key.status();
  return view_.IsPending(key.value());
}

Result<Data> Client::PendingOf(uint32_t table, std::string_view name) const {
  Data ids = Data::MakeArray();
  if (!HasTable(table)) return ids;
  const Result<ObjectKey> key = KeyNamed(table, name);
  if (!key.ok()) return key.status();
  for (const std::string& id : view_.PendingOf(key.value())) ids.Push(id);
  return ids;
}

Result<uint32_t> Client::QueryNew(const Data& description) {
  Result<Query> query = ParseQuery(schema_, description);
  if (!query.ok()) return query.status();
  const uint32_t handle = next_query_++;
  queries_.emplace(handle, std::move(query.value()));
  return handle;
}

const Query* Client::FindQuery(uint32_t query) const {
  const auto it = queries_.find(query);
  return it == queries_.end() ? nullptr : &it->second;
}

Status Client::QueryRun(uint32_t query, Vector<uint32_t>* stream) {
  const Query* found = FindQuery(query);
  if (found == nullptr) return {Code::kInvalidArgument, "no such query"};
  engine_.Run(*found, stream);
  return Status::Ok();
}

Result<uint32_t> Client::QueryCount(uint32_t query) {
  const Query* found = FindQuery(query);
  if (found == nullptr) return Status(Code::kInvalidArgument, "no such query");
  return static_cast<uint32_t>(engine_.Count(*found));
}

Result<Data> Client::QueryAggregate(uint32_t query, int kind, uint32_t column) {
  const Query* found = FindQuery(query);
  if (found == nullptr || kind < 0 || kind > 2 || column > kNone) {
    return Status(Code::kInvalidArgument, "no such query, aggregate or column");
  }
  const PropIndex index = static_cast<PropIndex>(column);
  Result<Value> value = engine_.Aggregate(*found, static_cast<AggregateKind>(kind), index);
  if (!value.ok()) return value.status();
  const Vector<PropDef>& props = schema_.table(found->table).props;
  if (index < props.size()) return ValueToData(props[index], value.value(), false);
  if (value.value().kind() == ValueKind::kString) return Data(value.value().text());
  return value.value().is_null() ? Data() : Data(value.value().number());
}

Result<uint32_t> Client::LiveOpen(uint32_t query, Vector<uint32_t>* stream) {
  const Query* found = FindQuery(query);
  if (found == nullptr) return Status(Code::kInvalidArgument, "no such query");
  if (transaction_.open()) {
    return Status(Code::kInvalidArgument, "live queries begin outside of transactions");
  }
  live_.Flush(&deltas_);
  return live_.Open(*found, stream);
}

void Client::LiveClose(uint32_t live) {
  if (!transaction_.open()) live_.Flush(&deltas_);
  live_.Close(live);
  erase_if(deltas_, [&](const LiveDelta& delta) { return delta.live == live; });
}

Data Client::Drain() {
  Drained drained;
  for (TableIndex table = 0; table < schema_.tables().size(); ++table) {
    const Vector<Slot> slots = view_.TakeDirty(table);
    if (!slots.empty()) drained.dirty.push_back({table, PackSlots(slots)});
  }
  if (transaction_.open()) return ToData(drained);
  live_.Flush(&deltas_);
  for (LiveDelta& delta : deltas_) {
    drained.live.push_back({delta.live, PackSlots(delta.rows), std::move(delta.added),
                            std::move(delta.removed), std::move(delta.changed),
                            std::move(delta.moved)});
  }
  deltas_.clear();
  drained.streams = tab_.streams().Drain();
  return ToData(drained);
}

}  // namespace skerry
