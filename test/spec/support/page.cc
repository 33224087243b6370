#include "test/spec/support/page.h"

#include <limits>
#include <utility>

#include "authority/row_data.h"
#include "base/json.h"
#include "doctest/doctest.h"
#include "test/core/authority/world.h"
#include "test/spec/support/story.h"

namespace skerry::spec {

Page::Page(Window* window, Device* device, const std::string& name)
    : Actor(device, name), window_(window) {
  Data options = Data::MakeObject();
  options.Set("schema", authority_test::WorldSchemaData()).Set("tab", name);
  options.Set("defaultRealm", "A").Set("remote", true).Set("user", nullptr);
  options.Set("seed", Data::Bytes(device->story->NextSeed()));
  client_ = std::move(Client::Create(options).value());
  Deliver(NamedEvent("open"));
}

void Page::Begin() { REQUIRE(client_->TxBegin(device().story->wall()).ok()); }

std::string Page::Commit() {
  Data action = Data::MakeObject();
  const Result<Data> done = client_->TxCommit(action.Set("name", "edit").Set("arg", "null"));
  REQUIRE(done.ok());
  Execute(done.value()["effects"]);
  REQUIRE(done.value()["id"].is_string());
  return done.value()["id"].as_string();
}

std::string Page::Does(TxCall call, const std::string& table, const std::string& id, Data realm,
                       Props props) {
  if (!is_in_one_) Begin();
  Data operation = Data::MakeArray();
  operation.Push(id).Push(std::move(realm)).Push(Data(std::move(props)));
  const TableIndex index = client_->schema().FindTable(table);
  REQUIRE(client_->TxOp(static_cast<int>(call), index, operation).ok());
  return is_in_one_ ? std::string() : Commit();
}

std::string Page::DoesAtOnce(const std::function<void()>& edits) {
  Begin();
  is_in_one_ = true;
  edits();
  is_in_one_ = false;
  return Commit();
}

std::string Page::Creates(const std::string& table, const std::string& id, Props props,
                          const std::string& realm) {
  return Does(TxCall::kCreate, table, id, realm, std::move(props));
}

std::string Page::Changes(const std::string& table, const std::string& id, Props props) {
  return Does(TxCall::kUpdate, table, id, nullptr, std::move(props));
}

std::string Page::Adds(const std::string& item, double by) {
  return Does(TxCall::kInc, "items", item, nullptr, {{"n", by}});
}

std::string Page::Deletes(const std::string& table, const std::string& id) {
  return Does(TxCall::kDelete, table, id, nullptr, {});
}

std::string Page::Moves(const std::string& table, const std::string& id, const std::string& realm) {
  return Does(TxCall::kMove, table, id, realm, {});
}

std::optional<Row> Page::RowOf(const std::string& table, const std::string& id) const {
  return client_->view().Visible({client_->schema().FindTable(table), id});
}

bool Page::Sees(const std::string& table, const std::string& id) const {
  return RowOf(table, id).has_value();
}

Data Page::Prop(const std::string& table, const std::string& id, const std::string& prop) const {
  const TableIndex index = client_->schema().FindTable(table);
  return RowToData(client_->schema(), {index, id}, RowOf(table, id))["props"][prop];
}

double Page::Number(const std::string& item) const {
  return Prop("items", item, "n").as_number(std::numeric_limits<double>::quiet_NaN());
}

std::string Page::RealmOf(const std::string& table, const std::string& id) const {
  const std::optional<Row> row = RowOf(table, id);
  return row.has_value() ? row->realm : std::string();
}

ShownRows Page::Shown() const {
  ShownRows rows;
  for (const TableDef& table : client_->schema().tables()) {
    const RowStore& store = client_->view().rows(table.index);
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (!store.IsLive(slot)) continue;
      const ObjectKey key{table.index, store.Id(slot)};
      rows[table.name + "/" + key.id] =
          ShownRow(RowToData(client_->schema(), key, store.Get(slot)));
    }
  }
  return rows;
}

std::string Page::Stage(const std::string& mutation, const std::string& stage) const {
  const auto stages = stages_.find(mutation);
  if (stages == stages_.end()) return {};
  const auto found = stages->second.find(stage);
  return found == stages->second.end() ? std::string() : found->second;
}

size_t Page::Pending() const { return client_->tab().mirror().pending().size(); }

void Page::Special(const Data& effect) {
  const std::string& type = effect["type"].as_string();
  if (type == "loadImage") {
    image_ = effect;
  } else if (type == "settle") {
    const Data& error = effect["error"];
    stages_[effect["id"].as_string()][effect["stage"].as_string()] =
        error.is_null() ? "ok" : error["code"].as_string();
  } else if (type == "conflicts") {
    conflicts_ = effect["items"].items().size();
  } else if (type == "ready") {
    wants_worker_ = true;
  } else {
    REQUIRE_MESSAGE(type != "problem", effect["detail"].as_string());
  }
}

void Page::Post(const Data& message) { window_->ToWorker(message); }

bool Page::TakeOwnStep() {
  if (!image_.has_value() || !May(Step::kImage)) return false;
  const Data wanted = *std::exchange(image_, std::nullopt);
  const auto generation = device().images.find(wanted["generation"].as_string());
  bool ok = generation != device().images.end();
  for (const Data& part : wanted["parts"].items()) {
    if (!ok) break;
    const std::string& bytes = generation->second.at(part["file"].as_string());
    ok = client_->LoadPart(SharedBytes(bytes)).ok();
  }
  Data event = NamedEvent("imageLoaded");
  event.Set("generation", wanted["generation"]).Set("ok", ok);
  Data error = Data::MakeObject();
  if (!ok) event.Set("error", error.Set("code", "missing").Set("detail", "no such file"));
  Dispatch(std::move(event));
  return true;
}

}  // namespace skerry::spec
