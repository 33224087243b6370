#include "test/core/client/window_world.h"

#include <algorithm>

#include "base/checksum.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/image.h"
#include "test/core/client/client_fixture.h"

namespace skerry::client_test {
namespace {

template <typename Store>
Data Range(const Store& store, const Data& range) {
  Data::Array items;
  for (const auto& [key, value] : store) {
    if constexpr (std::is_same_v<std::decay_t<decltype(key)>, uint64_t>) {
      if (range["above"].is_number() && key <= range["above"].as_u64()) continue;
    } else {
      if (range["from"].is_string() && key < range["from"].as_string()) continue;
      if (range["to"].is_string() && key > range["to"].as_string()) continue;
    }
    items.push_back(Data::Object{{"key", Data(key)}, {"value", value}});
  }
  if (range["last"].as_bool()) std::reverse(items.begin(), items.end());
  if (range["limit"].is_number())
    items.resize(std::min<size_t>(items.size(), range["limit"].as_u64()));
  return Data(std::move(items));
}

// A write to `actions` or `streams`.
void WriteStream(const Data& write, std::map<std::string, Data>* store) {
  if (const Data* removed = write.Find("deleteRange")) {
    std::erase_if(*store, [&](const auto& item) {
      const Data& from = (*removed)["from"];
      return (from.is_null() || item.first >= from.as_string()) &&
             item.first <= (*removed)["to"].as_string();
    });
  } else if (const Data* key = write.Find("delete")) {
    store->erase(key->as_string());
  } else {
    (*store)[write["key"].as_string()] = write["put"];
  }
}

}  // namespace

Data Storage::Read(const Data& read) const {
  const std::string& store = read["store"].as_string();
  if (read["get"].is_string()) {
    REQUIRE_EQ(store, "sync");
    return read["get"].as_string() == "sync" ? sync : Data();
  }
  const Data& range = read["range"];
  REQUIRE(range.is_object());
  if (store == "mutations") return Range(mutations, range);
  if (store == "updates") return Range(updates, range);
  if (store == "conflicts") return Range(conflicts, range);
  if (store == "own") return Range(own, range);
  if (store == "actions") {
    Data rows = Range(actions, range);
    read_rows += rows.items().size();
    return rows;
  }
  if (store == "streams") return Range(streams, range);
  REQUIRE_EQ(store, "outbox");
  return Range(outbox, range);
}

std::map<std::string, Data>* Storage::StreamStore(const std::string& name) {
  if (name == "actions") return &actions;
  return name == "streams" ? &streams : nullptr;
}

Data Storage::Write(const Data& writes) {
  Data keys = Data::MakeArray();
  for (const Data& write : writes.items()) {
    const std::string& store = write["store"].as_string();
    if (std::map<std::string, Data>* rows = StreamStore(store)) {
      WriteStream(write, rows);
    } else if (const Data* added = write.Find("add")) {
      REQUIRE((store == "mutations" || store == "conflicts"));
      (store == "mutations" ? mutations : conflicts)[++last_key] = *added;
      keys.Push(last_key);
    } else if (const Data* removed = write.Find("delete")) {
      std::map<uint64_t, Data>& rows = store == "mutations" ? mutations : conflicts;
      REQUIRE((store == "mutations" || store == "conflicts"));
      REQUIRE(rows.erase(removed->as_u64()) == 1);
    } else if (const Data* range = write.Find("deleteRange")) {
      REQUIRE_EQ(store, "updates");
      REQUIRE((*range)["to"].is_string());  // above all numbers
      updates.clear();
    } else if (store == "sync") {
      sync = write["put"];
    } else if (store == "mutations" || store == "own") {
      (store == "own" ? own : mutations).at(write["key"].as_u64()) = write["put"];
    } else {
      REQUIRE_EQ(store, "updates");
      updates[write["key"].as_u64()] = write["put"];
    }
  }
  return keys;
}

Data Storage::Work(const Vector<uint64_t>& confirmed, const Vector<uint64_t>& refused,
                   Vector<Step> steps, const Vector<std::pair<uint64_t, std::string>>& partly) {
  if (!sync.is_object()) sync = Data::Object{{"v", 1}, {"n", 0}, {"goneUpTo", 0}};
  const uint64_t n = this->n() + 1;
  uint64_t gone = sync["goneUpTo"].as_u64();
  const auto remove = [&](const Vector<uint64_t>& keys, bool to_inbox) {
    Data named = Data::MakeArray();
    for (const uint64_t key : keys) {
      const Data mutation = mutations.at(key);
      named.Push(Data::Object{{"id", mutation["id"]}, {"key", key}});
      gone = std::max(gone, key);
      mutations.erase(key);
      outbox.erase("u" + std::to_string(key));
      if (!to_inbox) continue;
      conflicts[conflicts.size() + 1000 * n] = Data::Object{{"v", 1},
                                                            {"reason", "rejected"},
                                                            {"code", "unique"},
                                                            {"detail", "taken"},
                                                            {"mutation", mutation}};
    }
    return named;
  };
  Data parts = Data::MakeArray();
  for (const auto& [key, realm] : partly) {
    const Data realms = Data::Array{realm};
    const Data member = Data::Object{{"id", mutations.at(key)["id"]}, {"key", key}};
    parts.Push(Data::Object{{"id", member["id"]}, {"realms", realms}});
    outbox["u" + std::to_string(key)] = Data::Object{{"v", 1},
                                                     {"id", "u" + std::to_string(key)},
                                                     {"confirmed", realms},
                                                     {"mutations", Data::Array{member}}};
  }
  Data cursors = Data::Object{{"A", std::to_string(n) + "@" + std::to_string(n)}};
  Data record = Data::Object{{"v", 1},
                             {"n", n},
                             {"kind", refused.empty() ? "pull" : "refusal"},
                             {"confirmed", remove(confirmed, false)},
                             {"refused", remove(refused, true)},
                             {"partly", std::move(parts)},
                             {"cursors", cursors},
                             {"body", Data::Bytes(EncodeSteps(TestSchema(), steps))}};
  updates[n] = record;
  sync.Set("n", n).Set("goneUpTo", gone).Set("cursors", std::move(cursors));
  return record;
}

void Storage::Publish(const std::string& generation, const Base& base, uint64_t n) {
  if (!sync.is_object()) sync = Data::Object{{"v", 1}, {"n", n}, {"goneUpTo", 0}};
  std::string bytes = EncodeImage(base, n, {{"A", std::to_string(n) + "@" + std::to_string(n)}});
  Data part = Data::Object{{"file", "rows"},
                           {"bytes", static_cast<uint64_t>(bytes.size())},
                           {"checksum", ImageChecksum(bytes)}};
  Data parts = Data::MakeArray();
  parts.Push(std::move(part));
  images[generation] = {std::move(bytes)};
  const Data previous = sync["image"];
  const uint64_t keep = previous["n"].as_u64();
  erase_if(updates, [&](const auto& entry) { return entry.first <= keep; });
  erase_if(images, [&](const auto& entry) {
    return entry.first != generation && entry.first != previous["generation"].as_string();
  });
  sync.Set("previous", previous);
  sync.Set("image", Data::Object{{"generation", generation},
                                 {"parts", std::move(parts)},
                                 {"n", n},
                                 {"cursors", Data::Object{{"A", std::to_string(n) + "@1"}}}});
}

Window::Window(Storage* storage, std::string tab, bool remote)
    : storage_(storage), tab_(std::move(tab)), remote_(remote) {
  Reopen();
}

const Data& ReorderedSchemaData() {
  static const Data data = [] {
    Data description = SchemaData();
    Data::Array tables = description["tables"].items();
    for (Data& table : tables) {
      Data::Array props = table["props"].items();
      std::reverse(props.begin(), props.end());
      table.Set("props", Data(std::move(props)));
    }
    return description.Set("tables", Data(std::move(tables)));
  }();
  return data;
}

void Window::Reopen(const Data& schema) {
  queue_.clear();
  ran_.reset();
  image_.reset();
  timers.clear();
  settled.clear();
  state = Data();
  const std::string seed = tab_ + "/" + std::to_string(++incarnation_);
  Result<std::unique_ptr<Client>> client =
      Client::Create(Data::Object{{"schema", schema},
                                  {"tab", tab_},
                                  {"defaultRealm", "A"},
                                  {"seed", Data::Bytes(seed + std::string(32, '.'))},
                                  {"remote", remote_},
                                  {"user", Data()}});
  REQUIRE(client.ok());
  client_ = std::move(client.value());
  Event(Data::Object{{"type", "open"}});
}

// Everything crosses as bytes, as it does in the browser.
Data Window::Encoded(const Data& data) const { return DecodeData(EncodeData(data)).value(); }

void Window::Event(Data event) {
  now += 1;
  event.Set("now", now).Set("mono", now);
  Obey(client_->Handle(Encoded(event)));
}

void Window::Obey(const Data& effects) {
  const Data decoded = Encoded(effects);
  for (const Data& effect : decoded.items()) {
    const std::string& type = effect["type"].as_string();
    REQUIRE((problems || type != "problem"));
    if (type == "transact") {
      queue_.push_back(effect);
    } else if (type == "keep") {
      if (!keeps) continue;
      for (const Data& record : effect["records"].items()) {
        storage_->mutations[++storage_->last_key] = record;
        added.emplace_back(record["id"].as_string(), storage_->last_key);
      }
    } else if (type == "broadcast") {
      sent.push_back(effect["message"]);
    } else if (type == "post") {
      posted.push_back(effect["message"]);
    } else if (type == "timer") {
      timers.insert(effect["name"].as_string());
    } else if (type == "cancel") {
      timers.erase(effect["name"].as_string());
    } else if (type == "loadImage") {
      image_ = effect;
    } else if (type == "settle") {
      const Data& error = effect["error"];
      std::string& stage = settled[effect["id"].as_string()][effect["stage"].as_string()];
      REQUIRE_EQ(stage, "");  // at most once
      stage = error.is_null() ? "ok" : error["code"].as_string();
      if (!effect["stage"].Is("confirmed") || !error.is_null()) continue;
      for (const char* before : {"durable", "pushed"}) {
        std::string& earlier = settled[effect["id"].as_string()][before];
        if (earlier.empty()) earlier = "ok";
      }
    } else if (type == "state") {
      state = effect;
    } else {
      notes.push_back(effect);
    }
  }
}

void Window::Run(Outcome outcome) {
  REQUIRE(CanRun());
  const Data effect = queue_.front();
  added.clear();
  Data write = Data::Object{{"type", "more"}, {"reads", effect["reads"]}};
  while (write["type"].Is("more")) {
    results = Data::MakeArray();
    for (const Data& read : write["reads"].items()) results.Push(storage_->Read(read));
    now += 1;
    const Data reply = Encoded(client_->Handle(Encoded(
        Data::Object{{"type", "read"}, {"id", effect["id"]}, {"results", results}, {"now", now}})));
    REQUIRE_EQ(reply.items().size(), 1);
    write = reply.items()[0];
  }
  if (write["type"].Is("abort")) {
    results = Data::MakeArray();
    ran_ = Ran{effect["id"].as_u64(), Outcome::kFailed, Data::MakeArray()};
    return;
  }
  REQUIRE_EQ(write["type"].as_string(), "write");
  const bool readonly = effect["mode"].as_string() == "readonly";
  REQUIRE((!readonly || write["writes"].items().empty()));
  Data keys = Data::MakeArray();
  if (outcome == Outcome::kDone || outcome == Outcome::kLost) {
    keys = storage_->Write(write["writes"]);
    size_t at = 0;
    for (const Data& each : write["writes"].items()) {
      if (each.Find("add") == nullptr) continue;
      added.emplace_back(each["add"]["id"].as_string(), keys.items()[at++].as_u64());
    }
  }
  ran_ = Ran{effect["id"].as_u64(), outcome, std::move(keys)};
}

void Window::Notify() {
  REQUIRE(CanNotify());
  const Ran ran = *ran_;
  ran_.reset();
  queue_.pop_front();
  if (ran.outcome == Outcome::kDone) {
    Event(Data::Object{{"type", "done"}, {"id", ran.id}, {"keys", ran.keys}});
    return;
  }
  const char* name = ran.outcome == Outcome::kQuota ? "QuotaExceededError" : "UnknownError";
  Event(Data::Object{{"type", "failed"},
                     {"id", ran.id},
                     {"error", Data::Object{{"name", name}, {"message", "no"}}}});
}

void Window::FailAll() {
  ran_.reset();
  const std::deque<Data> queue = std::move(queue_);
  queue_.clear();
  if (image_) {
    const Data generation = (*image_)["generation"];
    image_.reset();
    Event(Data::Object{{"type", "imageLoaded"},
                       {"generation", generation},
                       {"ok", false},
                       {"error", Data::Object{{"code", "storage"}, {"detail", "closed"}}}});
  }
  for (const Data& effect : queue) {
    Event(Data::Object{{"type", "failed"},
                       {"id", effect["id"]},
                       {"error", Data::Object{{"name", "AbortError"}, {"message", "closed"}}}});
  }
}

void Window::LoadImage() {
  const Data effect = *image_;
  image_.reset();
  const auto it = storage_->images.find(effect["generation"].as_string());
  bool ok = it != storage_->images.end();
  if (ok) {
    for (const std::string& part : it->second) ok = ok && client_->LoadPart(SharedBytes(part)).ok();
  }
  Data event =
      Data::Object{{"type", "imageLoaded"}, {"generation", effect["generation"]}, {"ok", ok}};
  if (!ok) event.Set("error", Data::Object{{"code", "missing"}, {"detail", "no such file"}});
  Event(std::move(event));
}

bool Window::Step() {
  if (CanNotify()) {
    Notify();
  } else if (CanRun()) {
    Run();
  } else if (CanLoad()) {
    LoadImage();
  } else {
    return false;
  }
  return true;
}

void Window::Settle() {
  for (int step = 0; step < 100; ++step) {
    if (!Step()) return;
  }
  FAIL("a window that does not come to rest");
}

std::string Window::Do(int kind, TableIndex table, Data id, Data props, Data realm) {
  return DoAll({{kind, table, std::move(id), std::move(props), std::move(realm)}});
}

std::string Window::DoAll(Vector<Operation> operations) {
  return Commit(std::move(operations), Data::Object{{"name", "edit"}, {"arg", "null"}});
}

std::string Window::Amend(uint64_t entry, Vector<Operation> operations) {
  return Commit(std::move(operations),
                Data::Object{{"name", "edit"}, {"arg", "null"}, {"amends", entry}});
}

std::string Window::Commit(Vector<Operation> operations, const Data& action) {
  now += 1;
  REQUIRE(client_->TxBegin(now).ok());
  for (Operation& one : operations) {
    Data operation = Data::MakeArray();
    if (one.props.is_null()) one.props = Data::MakeObject();
    operation.Push(std::move(one.id)).Push(std::move(one.realm)).Push(std::move(one.props));
    const Result<OpOutcome> outcome = client_->TxOp(one.kind, one.table, operation);
    CAPTURE(outcome.status().detail());
    REQUIRE(outcome.ok());
  }
  const Result<Data> done = client_->TxCommit(action);
  REQUIRE(done.ok());
  Obey(done.value()["effects"]);
  return done.value()["id"].as_string();
}

std::optional<Row> Window::See(TableIndex table, const std::string& id) {
  return client_->view().Visible({table, id});
}

}  // namespace skerry::client_test
