#include "test/core/model_check/production_client.h"

#include <algorithm>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/transaction_builder.h"
#include "sync/chain.h"
#include "sync/grouping.h"
#include "sync/push.h"
#include "sync/scopes.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {

ProductionClient::ProductionClient(const Schema* schema, const std::string& identity,
                                   CheckScopes scopes)
    : schema_(schema), scopes_(std::move(scopes)) {
  sync_ = CompleteSyncRecord(Data(), identity, *schema).Write();
  for (size_t i = 0; i < scopes_.size(); ++i) ToggleScope(i);
}

void ProductionClient::ToggleScope(size_t index) {
  const Vector<WantedScope> list{
      {scopes_[index].table, ParseJson(scopes_[index].where).value(), {}}};
  const Vector<WantedScope> none;
  const bool is_there = FilledOf(sync_, scopes_[index]) != nullptr;
  std::optional<UpdateRecord> record;
  Vector<SyncScope> left_out;
  SyncRecord sync = SyncRecord::Read(sync_);
  REQUIRE(ChangeScopes(*schema_, is_there ? none : list, is_there ? list : none, 0, &sync, &record,
                       &left_out));
  sync_ = sync.Write();
  if (record.has_value()) ApplyRecord(*record);
}

std::string ProductionClient::Mutate(const Vector<naive::Op>& ops, double now, UuidGenerator* ids) {
  Mutation mutation;
  mutation.action = {ids->Next(now), "act", "null", now};
  for (const naive::Op& op : ops) mutation.ops.push_back(OpOf(op));
  for (const auto& [realm, cursor] : sync_["cursors"].members())
    mutation.base.emplace_back(realm, CursorRevision(cursor.as_string()));
  std::sort(mutation.base.begin(), mutation.base.end());
  Data keys = Data::MakeArray();
  for (const std::string& key : MakeMutationRecord(*schema_, mutation).keys) keys.Push(key);
  Data record = Data::MakeObject();
  record.Set("v", 1)
      .Set("id", mutation.action.id)
      .Set("name", "act")
      .Set("at", now)
      .Set("state", "pending");
  record.Set("update", nullptr).Set("held", false).Set("known", nullptr);
  record.Set("realms", ToData(RealmsOf(mutation.ops))).Set("keys", std::move(keys));
  record.Set("body", Data::Bytes(EncodeMutation(*schema_, mutation)));
  mutations_[++last_key_] = std::move(record);
  keys_[mutation.action.id] = static_cast<uint64_t>(last_key_);
  return mutation.action.id;
}

Data ProductionClient::Range(const std::map<double, Data>& store, size_t most) const {
  Data range = Data::MakeArray();
  for (const auto& [key, value] : store) {
    if (range.items().size() == most) break;
    Data item = Data::MakeObject();
    range.Push(item.Set("key", key).Set("value", value));
  }
  return range;
}

Vector<OutboxRecord> ProductionClient::Outbox() const {
  Data range = Data::MakeArray();
  for (const auto& [key, value] : outbox_) {
    Data item = Data::MakeObject();
    range.Push(item.Set("key", key).Set("value", value));
  }
  return InChainOrder(range);
}

void ProductionClient::Write(const Data::Array& writes) {
  for (const Data& write : writes) {
    const std::string& store = write["store"].as_string();
    const Data* put = write.Find("put");
    if (store == "conflicts") {
      conflicts_.push_back(write["add"]);
    } else if (store == "sync") {
      sync_ = *put;
    } else if (store == "updates") {
      ApplyRecord(UpdateRecord::Read(*put));
    } else if (store == "mutations" && put) {
      // A removed mutation does not come back.
      REQUIRE(mutations_.contains(write["key"].as_number()));
      mutations_[write["key"].as_number()] = *put;
    } else if (store == "mutations") {
      REQUIRE(mutations_.erase(write["delete"].as_number()) == 1);
    } else if (put) {
      outbox_[write["key"].as_string()] = *put;
    } else {
      outbox_.erase(write["delete"].as_string());
    }
  }
}

// As in a window.
void ProductionClient::ApplyRecord(const UpdateRecord& record) {
  REQUIRE(record.n == ++n_);
  const Result<Vector<Step>> steps = DecodeSteps(*schema_, *record.body);
  REQUIRE(steps.ok());
  TouchedKeys touched;
  REQUIRE(ApplySteps(*schema_, steps.value(), &base_, &touched).ok());
}

void ProductionClient::Group(size_t most, double now, UuidGenerator* ids) {
  Grouping grouping(schema_, outbox_.size());
  if (!grouping.wants_more()) return;
  grouping.Add(Range(mutations_, most));
  SyncRecord sync = SyncRecord::Read(sync_);
  Data::Array writes;
  for (const OutboxRecord& update : grouping.Finish(now, now, ids, &sync.chain, &writes)) {
    writes.push_back(PutWrite(Store::kOutbox, update.id, update.Write()));
  }
  REQUIRE(grouping.unreadable().empty());
  sync_ = sync.Write();
  Write(writes);
}

ProductionClient::Sent ProductionClient::Send() {
  Vector<OutboxRecord> outbox = Outbox();
  const PushBatch batch = ChooseBatch(outbox, 4);
  const SyncRecord sync = SyncRecord::Read(sync_);
  Write(MarkSent(batch, 1, sync, &outbox));
  Sent sent;
  if (batch.ids.empty()) return sent;
  const Data body = ParseJson(PushBody(batch, outbox, sync, schema_->version(), 1)).value();
  sent.client = body["client"].as_string();
  sent.ids = batch.ids;
  sent.updates = body["updates"].items();
  return sent;
}

void ProductionClient::Answered(const Vector<std::string>& asked, const Data& results, double now,
                                UuidGenerator* ids) {
  Data body = Data::MakeObject();
  body.Set("results", results);
  PushAnswer answer(schema_, "", {"", asked, {}}, *ReadPushResults(std::move(body)), now);
  answer.Decide(Outbox(), SyncRecord::Read(sync_), ids);
  if (answer.needs_mutations()) answer.AddMutations(Range(mutations_, mutations_.size()));
  Write(answer.Finish());
}

PullRequest ProductionClient::Ask(uint64_t limit) const {
  return MakePullRequest(*schema_, SyncRecord::Read(sync_), Outbox(), limit);
}

bool ProductionClient::Pulled(const PullRequest& request, const PullAnswer& answer, double now) {
  PullFold fold(schema_, "", &request, &answer, now, 0);
  if (!fold.Decide(Outbox(), SyncRecord::Read(sync_))) return false;
  if (fold.needs_mutations()) fold.AddMutations(Range(mutations_, mutations_.size()));
  Write(fold.Finish());
  return true;
}

naive::Rows ProductionClient::Visible() const {
  naive::Rows visible;
  for (const auto& [place, row] : base_.rows) {
    const naive::Key key = KeyOf(place.first, row.realm);
    const auto found = visible.find(key);
    if (found == visible.end() || found->second.modified < row.modified_at)
      visible[key] = NaiveRowOf(place.first, row);
  }
  for (const auto& [key, record] : mutations_) {
    const auto update = outbox_.find(record["update"].as_string());
    const Result<Mutation> mutation = DecodeMutation(*schema_, record["body"].as_bytes());
    Data wire = Data::MakeObject();
    Data ops = Data::MakeArray();
    for (const Op& op : mutation.value().ops) ops.Push(OpToData(*schema_, op, 1));
    Data action = Data::MakeObject();
    Data actions = Data::MakeArray();
    actions.Push(action.Set("id", record["id"]));
    wire.Set("ops", std::move(ops)).Set("actions", std::move(actions));
    for (const naive::Op& op : naive::UpdateOf("", wire).ops) {
      const bool confirmed =
          update != outbox_.end() && ContainsString(update->second["confirmed"], op.realm);
      if (!confirmed) naive::FoldOp(op, 1e15, 0, false, &visible);
    }
  }
  return visible;
}

naive::Names ProductionClient::PendingActions() const {
  naive::Names actions;
  for (const auto& [key, record] : mutations_) actions.insert(record["id"].as_string());
  return actions;
}

naive::Names ProductionClient::InboxActions() const {
  naive::Names actions;
  for (const Data& conflict : conflicts_) actions.insert(conflict["mutation"]["id"].as_string());
  return actions;
}

size_t ProductionClient::CountUpTo(const std::string& action) const {
  const auto key = static_cast<double>(KeyOfAction(action));
  return static_cast<size_t>(std::distance(mutations_.begin(), mutations_.upper_bound(key)));
}

uint64_t ProductionClient::KeyOfAction(const std::string& action) const {
  const auto found = keys_.find(action);
  return found == keys_.end() ? 0 : found->second;
}

}  // namespace skerry::test
