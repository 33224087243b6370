#include "test/sim/window_host.h"

#include <utility>

#include "base/random.h"
#include "base/vector.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kMaxOps = 3;

Data Operation(const test::naive::Op& op) {
  Data props = Data::MakeObject();
  for (const auto& [name, value] : op.set) props.Set(name, value);
  for (const auto& [name, by] : op.add) props.Set(name, by);
  Data out = Data::MakeArray();
  out.Push(test::naive::IdOf(op.key));
  return out.Push(op.op == "move" ? op.to : op.realm).Push(std::move(props));
}

TxCall CallOf(const std::string& op) {
  if (op == "create") return TxCall::kCreate;
  if (op == "update") return TxCall::kUpdate;
  if (op == "inc") return TxCall::kInc;
  if (op == "delete") return TxCall::kDelete;
  SKERRY_CHECK(op == "move");
  return TxCall::kMove;
}

}  // namespace

WindowHost::WindowHost(World* world, Profile* profile, std::string tab, uint64_t serial,
                       Release release)
    : Host(world, profile, tab, serial, release), fresh_(serial << 20) {
  Data options = Data::MakeObject();
  options.Set("schema", world->DescriptionFor(release)).Set("tab", tab).Set("defaultRealm", "A");
  options.Set("seed", Data::Bytes("window " + std::to_string(serial) + std::string(32, '.')));
  options.Set("user", world->has_rights() ? Data(profile->user) : Data());
  client_ = std::move(Client::Create(options.Set("remote", true)).value());
  world_->checks().Began(*this);
  Data open = Data::MakeObject();
  Deliver(std::move(open.Set("type", "open")));
  if (!world->Has(Part::kStreams)) return;
  const uint64_t version = release == Release::kNewer ? 2 : 1;
  streams_.emplace(world->realms(), serial, version);
  for (Data& event : streams_->Opening()) Deliver(std::move(event));
}

void WindowHost::Drained(Drain when) {
  const Data drained = client_->Drain();
  if (streams_.has_value()) {
    const std::string problem = streams_->Take(drained["streams"]);
    if (!problem.empty()) world_->Fail("streams: window " + tab() + ": " + problem);
  }
  world_->checks().Drained(*this, drained, when);
}

void WindowHost::FoldStreams() {
  if (!streams_.has_value()) return;
  for (Data& event : streams_->Folding()) Dispatch(std::move(event));
}

Data WindowHost::Handle(Data event) {
  const bool is_read = event["type"].Is("read");
  Data effects = client_->Handle(std::move(event));
  Drained(is_read ? Drain::kWithin : Drain::kAfter);
  return effects;
}

void WindowHost::RollBack() {
  client_->TxRollback();
  Drained(Drain::kRolledBack);
}

test::naive::Rows WindowHost::Visible() const {
  test::naive::Rows rows;
  for (const TableDef& table : client_->schema().tables()) {
    const RowStore& store = const_cast<Client&>(*client_).view().rows(table.index);
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (!store.IsLive(slot)) continue;
      const ObjectKey key{table.index, store.Id(slot)};
      const Row row = store.Get(slot);
      rows[test::KeyOf(key, row.realm, schema())] = test::NaiveRowOf(key, row, schema());
    }
  }
  return rows;
}

test::naive::Op WindowHost::AnyOp(Random* random) {
  const test::naive::Rows visible = Visible();
  const test::naive::Names realms =
      world_->has_rights() ? RealmsToUse(profile().user, visible, random) : world_->realms();
  return AnyOpOf(release(), visible, realms, world_->moves(), random, &fresh_);
}

// None: the window refuses it, and the transaction was rolled back.
std::optional<OpOutcome> WindowHost::Do(TxCall call, TableIndex table, const Data& operation) {
  Result<OpOutcome> outcome = client_->TxOp(static_cast<int>(call), table, operation);
  if (!outcome.ok()) {
    RollBack();
    return std::nullopt;
  }
  Drained(Drain::kWithin);
  return std::move(outcome.value());
}

std::optional<OpOutcome> WindowHost::Do(const test::naive::Op& op) {
  return Do(CallOf(op.op), test::OpOf(op, schema()).table, Operation(op));
}

// Returns whether the window allows it.
bool WindowHost::AppendTo(Random* random) {
  const test::naive::Names realms =
      world_->has_rights() ? RealmsToUse(profile().user, Visible(), random) : world_->realms();
  const Data append = WindowStreams::AnyAppend(realms, random);
  world_->Count("stream: append");
  return client_->TxOp(static_cast<int>(TxCall::kAppend), 0, append).ok();
}

// Returns whether there was something to undo, or to redo.
bool WindowHost::Undo(bool redo) {
  const Result<Data> undone = client_->TxUndo(redo ? UndoWay::kRedo : UndoWay::kUndo);
  if (!undone.ok() || undone.value().is_null()) {
    RollBack();
    return false;
  }
  Drained(Drain::kWithin);
  world_->Count(redo ? "window: redoes" : "window: undoes");
  Commit({});
  return true;
}

void WindowHost::Mutate(uint32_t a, uint32_t b) {
  Random random("mutate " + std::to_string(static_cast<uint64_t>(a)) + " " +
                std::to_string(static_cast<uint64_t>(b)));
  if (!client_->TxBegin(world_->Wall(profile())).ok()) return;
  if (random.Below(5) == 0) return (void)Undo(random.Below(3) == 0);
  MadeMutation made;
  Vector<test::naive::Op> members;  // ops on memberships come alone
  if (world_->has_rights() && random.Below(5) == 0)
    members = MemberOpsOf(profile().user, Visible(), &random, &fresh_);
  uint64_t count = members.empty() ? 1 + random.Below(kMaxOps) / 2 : members.size();
  const bool appends = streams_.has_value() && random.Below(3) == 0;
  if (appends && members.empty() && random.Below(2) == 0) count = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const test::naive::Op op = members.empty() ? AnyOp(&random) : members[i];
    const std::optional<OpOutcome> outcome = Do(op);
    if (!outcome.has_value()) return;
    if (op.key == "items/total@A" && outcome->changed) made.total += op.add.at("x");
    made.only_leaves = !members.empty() && !appends && test::naive::IsLeave(op, profile().user);
  }
  if (appends && !AppendTo(&random)) return RollBack();
  Commit(std::move(made), appends && count == 0);
}

// As js/api/realms.ts does it: the user had accepted the membership before the server lost the realm.
void WindowHost::NoteAnswers(const Data& state) {
  answers_.clear();
  for (const Data& item : state["invitations"].items()) {
    const std::string& realm = item["realm"].as_string();
    const bool is_lost = test::ContainsString(state["lost"], realm);
    const std::string own = MembershipId(realm, profile().user);
    const ObjectKey key = KeyIn(schema(), schema().members(), own, realm);
    if (is_lost && !client_->view().IsPending(key)) answers_.push_back(realm);
  }
}

void WindowHost::AcceptLost() {
  const std::string realm = std::move(answers_.back());
  answers_.pop_back();
  if (!client_->TxBegin(world_->Wall(profile())).ok()) return;
  const test::naive::Op op = Answering(realm, profile().user, true);
  if (!Do(op).has_value()) return;
  world_->Count("window: accepts a lost realm again");
  Commit({});
}

// When the faults are over, users mend what their rules find wrong.
void WindowHost::Mend(const WrongRow& row) {
  if (!client_->TxBegin(world_->Wall(profile())).ok()) return;
  Data props = Data::MakeObject();
  Data operation = Data::MakeArray();
  operation.Push(row.key.id).Push(row.realm).Push(props.Set("u", Data()));
  if (!Do(TxCall::kUpdate, row.key.table, operation).has_value()) return;
  world_->Count("window: mends what is wrong");
  Commit({});
}

// As js/api/validation.ts does it.
void WindowHost::AfterEffects() {
  if (!validate_.has_value()) return;
  const Data validate = *std::exchange(validate_, std::nullopt);
  std::string problem;
  Data judge = rules_.Judge(*client_, validate, &problem);
  if (!problem.empty()) world_->Fail("rules: window " + tab() + ": " + problem);
  if (!rules_.wrong().empty()) world_->Count("window: holds back what is wrong");
  Dispatch(std::move(judge));
  if (world_->is_healing()) MendAll();
}

void WindowHost::MendAll() {
  const Vector<WrongRow> wrong = rules_.wrong();
  for (const WrongRow& row : wrong) Mend(row);
}

void WindowHost::Amend(const Data& entry, uint32_t which) {
  Random random("amend " + std::to_string(static_cast<uint64_t>(which)));
  if (!client_->TxBegin(world_->Wall(profile())).ok()) return;
  const test::naive::Op op = AnyOp(&random);
  if (op.key == "items/total@A") return RollBack();  // its additions are counted by their actions
  if (!Do(op).has_value()) return;
  Data action = Data::MakeObject();
  action.Set("name", "amend").Set("arg", "null").Set("amends", entry);
  const Result<Data> done = client_->TxCommit(action);
  if (!done.ok()) return RollBack();
  Drained(Drain::kAfter);
  world_->Trace(*this, "amend", done.value()["id"].as_string());
  Execute(done.value()["effects"]);
}

void WindowHost::Commit(MadeMutation made, bool is_of_stream) {
  Data action = Data::MakeObject();
  // What adds to the common counter is counted by its mutations.
  action.Set("name", "edit").Set("arg", "null").Set("undoable", made.total == 0);
  if (is_of_stream) action.Set("inverseName", "take back").Set("inverseArg", "null");
  const Result<Data> done = client_->TxCommit(action);
  if (!done.ok()) return RollBack();
  Drained(Drain::kAfter);
  made.action = done.value()["id"].as_string();
  if (done.value()["id"].is_string()) world_->checks().Made(made);
  world_->Trace(*this, "mutate", done.value()["id"].as_string());
  Execute(done.value()["effects"]);
}

void WindowHost::Freeze() {
  Data event = Data::MakeObject();
  Dispatch(event.Set("type", "freeze"));
  if (image_) {
    Data error = Data::MakeObject();
    Data loaded = Data::MakeObject();
    loaded.Set("type", "imageLoaded").Set("generation", (*image_)["generation"]).Set("ok", false);
    loaded.Set("error", error.Set("code", "storage").Set("detail", "closed"));
    image_.reset();
    Dispatch(std::move(loaded));
  }
  FailOutstanding();
}

void WindowHost::StandStill() {
  Data event = Data::MakeObject();
  Dispatch(event.Set("type", "still"));
}

void WindowHost::Keep(const Data& records) {
  struct Adding final : sync_test::TransactionCaller {
    Data Call(Data event) override {
      Data write = Data::MakeObject();
      Data effects = Data::MakeArray();
      write.Set("type", "write").Set("id", event["id"]).Set("writes", writes);
      effects.Push(std::move(write));
      return effects;
    }
    Data writes = Data::MakeArray();
  } adding;
  for (const Data& record : records.items()) {
    Data write = Data::MakeObject();
    adding.writes.Push(std::move(write.Set("store", "mutations").Set("add", record)));
  }
  Data stores = Data::MakeArray();
  stores.Push("mutations");
  Data transact = Data::MakeObject();
  transact.Set("id", 0).Set("mode", "readwrite").Set("stores", std::move(stores));
  transact.Set("reads", Data::MakeArray());
  const Data outcome = profile().storage.Run(transact, &adding);
  world_->Trace(*this, "keep", outcome["type"].as_string());
  if (outcome["type"].Is("done")) world_->checks().Stored(*this, adding.writes, outcome["keys"]);
}

void WindowHost::Work() {
  if (!image_) return AcceptLost();
  const Data wanted = *image_;
  image_.reset();
  const Mount* const image = ImageOf(wanted, &profile().images);
  bool found = image != nullptr;
  bool ok = found;
  if (found) {
    for (const Data& part : wanted["parts"].items()) {
      const auto bytes = image->files.find(part["file"].as_string());
      found = found && bytes != image->files.end();
      ok = ok && found && client_->LoadPart(SharedBytes(bytes->second)).ok();
    }
  }
  Data event = Data::MakeObject();
  event.Set("type", "imageLoaded").Set("generation", wanted["generation"]).Set("ok", ok);
  Data error = Data::MakeObject();
  if (!ok) event.Set("error", error.Set("code", found ? "corrupt" : "missing").Set("detail", ""));
  world_->Trace(*this, "imageLoaded", ok ? "ok" : found ? "corrupt" : "missing");
  world_->Count(ok ? "window: image loaded" : "window: image of no use");
  Dispatch(std::move(event));
}

void WindowHost::ExecuteSpecial(const Data& effect) {
  const std::string& type = effect["type"].as_string();
  if (type == "keep") {
    Keep(effect["records"]);
  } else if (type == "validate") {
    validate_ = effect;
  } else if (type == "offer") {
    world_->network().SendOffer(*this, effect);
  } else if (type == "loadImage") {
    image_ = effect;
  } else if (type == "state") {
    NoteAnswers(effect);
  } else if (type == "settle") {
    const Data& error = effect["error"];
    world_->checks().Settled(*this, effect["id"].as_string(), effect["stage"].as_string(),
                             error.is_null() ? std::string() : error["code"].as_string());
  } else if (type == "ready") {
    world_->TabOf(*this).wants_worker = true;
  } else if (type == "openFailed") {
    Data open = Data::MakeObject();
    Deliver(std::move(open.Set("type", "open")));
  } else if (type == "problem") {
    world_->Fail("a window has a problem: " + effect["detail"].as_string());
  }
}

void WindowHost::Post(const Data& message) { world_->TabOf(*this).ToWorker(message); }

}  // namespace skerry::sim
