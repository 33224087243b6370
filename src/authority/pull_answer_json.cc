// PullSession: the answer as JSON (docs/protocol.md).
#include <utility>

#include "authority/pull_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "log/codec.h"

namespace skerry {

Data PullSession::FillsToData() const {
  Data fills = Data::MakeArray();
  for (const Data& image : images_.items()) {
    for (const std::string& realm : pull_.answer().images) {
      if (image["realm"].as_string() == realm) fills.Push(image);
    }
  }
  for (const PullPage& page : pull_.answer().pages) {
    Data data = ScopeToData(page.scope);
    Data ids = Data::MakeArray();
    for (const std::string& id : page.ids) ids.Push(id);
    data.Set("above", pull_.request().scopes.list()[page.scope].filled);
    Data realms = Data::MakeArray();
    for (const std::string& realm : page.realms) realms.Push(realm);
    data.Set("upto", page.upto ? Data(*page.upto) : Data()).Set("realms", std::move(realms));
    data.Set("ids", std::move(ids));
    fills.Push(std::move(data));
  }
  return fills;
}

Data PullSession::AnswerToData() const {
  const PullResult& answer = pull_.answer();
  Data cursors = Data::MakeObject(), own = Data::MakeObject();
  Data revoked = Data::MakeArray();
  for (const auto& [realm, cursor] : answer.cursors) cursors.Set(realm, CursorText(cursor));
  for (const auto& [update, by_realm] : answer.own) {
    Data places = Data::MakeObject();
    const auto in_vain = answer.in_vain.find(update);
    for (const auto& [realm, place] : by_realm) {
      Data said = Fields{{"revision", place.revision}};
      said.Set("at", place.at);
      if (in_vain != answer.in_vain.end()) {
        const auto& [gone, missing, dropped] = in_vain->second;
        if (!gone.items().empty()) said.Set("gone", gone);
        if (!missing.items().empty()) said.Set("missing", missing);
        if (!dropped.items().empty()) said.Set("dropped", dropped);
      }
      places.Set(realm, std::move(said));
    }
    own.Set(update, std::move(places));
  }
  for (const std::string& realm : answer.revoked) revoked.Push(realm);
  // There may be thousands of changes: each is written as text at once, without a tree of all.
  std::string changes = "[";
  for (const Change& change : answer.changes) {
    if (changes.size() > 1) changes.push_back(',');
    WriteJson(ChangeToData(*schema_, change), &changes);
  }
  changes.push_back(']');
  Data data = Data::MakeObject();
  data.Set("time", now_).Set("cursors", std::move(cursors)).Set("more", answer.has_more);
  data.Set("own", std::move(own)).Set("revoked", std::move(revoked)).Set("fills", FillsToData());
  data.Set("changes", Data::Json(std::move(changes)));
  AddStreams(&data);
  if (pull_.request().known) {
    Data known = Data::MakeObject();
    for (const auto& [action, by_realm] : answer.known) {
      Data places = Data::MakeObject();
      for (const auto& [realm, revision] : by_realm) places.Set(realm, revision);
      known.Set(action, std::move(places));
    }
    data.Set("known", std::move(known));
  }
  if (answer.refill) {
    Data refill = Data::MakeArray();
    for (const size_t scope : *answer.refill) refill.Push(ScopeToData(scope));
    data.Set("refill", std::move(refill));
  }
  if (pull_.request().asks_for_floors) {
    Data floors = Data::MakeObject();
    for (const auto& [realm, floor] : answer.floors) {
      Data said = Fields{{"revision", floor.revision}};
      floors.Set(realm, said.Set("at", floor.at));
    }
    data.Set("floors", std::move(floors));
  }
  if (!answer.reset.empty()) {
    Data reset = Data::MakeArray();
    for (const std::string& realm : answer.reset) reset.Push(realm);
    data.Set("reset", std::move(reset));
  }
  return data;
}

}  // namespace skerry
