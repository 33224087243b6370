// The naive server under schemas that follow each other; keys, and updates of the wire.
#include <utility>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

std::string TableOf(const Key& key) { return key.substr(0, key.find('/')); }

std::string IdOf(const Key& key) {
  const size_t from = key.find('/') + 1;
  return key.substr(from, key.find('@') - from);
}

bool HasOwnIds(const std::string& table) {
  return table == "items" || table == "pins" || table == "tags" || table == "$members";
}

Key KeyOf(const std::string& table, const std::string& id, const std::string& realm) {
  return table + "/" + id + (HasOwnIds(table) ? "@" + realm : "");
}

Update UpdateOf(const std::string& client, const Data& wire) {
  Update update;
  update.id = wire["id"].as_string();
  update.client = client;
  for (const auto& [realm, link] : wire["after"].members()) {
    update.after[realm] = {link["seq"].as_u64(), link["id"].as_string()};
  }
  for (const Data& action : wire["actions"].items()) {
    const std::string& id = action["id"].as_string();
    update.actions.push_back(id);
    update.made[id] = action["at"].as_number();
    if (action["replayed"].as_bool()) update.replayed.insert(id);
    if (action["again"].as_bool()) update.again.insert(id);
  }
  for (const auto& [realm, revision] : wire["base"].members())
    update.base[realm] = revision.as_u64();
  for (const Data& data : wire["ops"].items()) {
    Op op;
    op.op = data["op"].as_string();
    op.realm = data["realm"].as_string();
    op.stream = data["stream"].as_string();
    if (op.stream.empty())
      op.key = KeyOf(data["table"].as_string(), data["id"].as_string(), op.realm);
    op.to = data["to"].as_string();
    for (const auto& [prop, value] : data["set"].members()) op.set[prop] = value;
    for (const auto& [prop, value] : data["was"].members()) op.was[prop] = value;
    op.of = data["of"].as_string();
    op.knows_row = op.op == "restore" && data["set"].is_object();
    for (const auto& [prop, value] : data["add"].members()) op.add[prop] = value.as_number();
    for (const Data& by : data["by"].items()) op.by.insert(update.actions[by.as_u64()]);
    if (!data.Find("by")) op.by.insert(update.actions[0]);
    update.ops.push_back(std::move(op));
  }
  return update;
}

void Server::FillDefaults(Rows* rows) const {
  if (defaults_.empty()) return;
  for (auto& [key, row] : *rows) {
    const auto table = defaults_.find(TableOf(key));
    if (table == defaults_.end()) continue;
    for (const auto& [prop, value] : table->second) row.props.try_emplace(prop, value);
  }
}

void Server::FillDefaults(AllRows* rows) const {
  for (auto& [realm, some] : *rows) FillDefaults(&some);
}

void Server::Serve(Defaults defaults) {
  defaults_ = std::move(defaults);
  FillDefaults(&rows_);
  for (auto& [realm, states] : states_) FillDefaults(&states.back());
}

void Server::Adopt(const std::string& realm, const Key& key, const std::string& prop,
                   const Data& value) {
  for (Rows* rows : {&rows_.at(realm), &states_.at(realm).back()}) {
    const auto row = rows->find(key);
    if (row == rows->end()) continue;
    row->second.props.erase(prop);
    if (!value.is_null()) row->second.props[prop] = value;
  }
}

void Server::Correct(const std::string& realm, const Names& keys, double at) {
  Rows& rows = rows_.at(realm);
  for (const Key& key : keys) Stamp(at, &rows.at(key));
  log_[realm].push_back({at, {}, {}, {}, {}, false});
  states_[realm].push_back(rows);
}

}  // namespace skerry::test::naive
