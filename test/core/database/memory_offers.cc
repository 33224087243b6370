// MemoryDatabase: what clients give back after a restore (docs/authority.md, section 3), as
// server/src/offers does it.
#include <algorithm>
#include <utility>

#include "authority/admission_json.h"
#include "authority/cursor.h"
#include "base/fields.h"
#include "base/json.h"
#include "model/members.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {

uint64_t MemoryDatabase::CommonOf(const std::string& realm, const std::string& cursor) const {
  const Result<Cursor> lost = ParseCursor(cursor);
  SKERRY_CHECK(lost.ok());
  uint64_t common = 0;
  for (const Data& entry : log_.at(realm)) {
    const uint64_t revision = entry["revision"].as_u64();
    if (!HasEntry(realm, revision) && revision != heads_.at(realm).floor) continue;
    if (revision <= lost.value().revision && entry["at"].as_number() <= lost.value().at)
      common = revision;
  }
  return common;
}

bool MemoryDatabase::HasAll(const std::string& realm, const Data& cursors) const {
  const auto head = heads_.find(realm);
  if (head == heads_.end()) return cursors.items().empty();
  for (const Data& text : cursors.items()) {
    const Result<Cursor> cursor = ParseCursor(text.as_string());
    SKERRY_CHECK(cursor.ok());
    const Cursor given = cursor.value();
    if (given.revision < head->second.floor) continue;
    const bool is_there = std::ranges::any_of(log_.at(realm), [&](const Data& entry) {
      return Cursor{entry["revision"].as_u64(), entry["at"].as_number()} == given;
    });
    if (!is_there) return false;
  }
  return true;
}

std::string MemoryDatabase::HeadCursor(const std::string& realm) const {
  const auto head = heads_.find(realm);
  if (head == heads_.end() || head->second.head == 0) return {};
  return CursorText({head->second.head, head->second.at});
}

Data MemoryDatabase::ChangesSince(const Data& since) const {
  Data list = Data::MakeArray();
  for (const Data& which : since.items()) {
    const auto& [realm, table, id, above] =
        std::tie(which.items()[0], which.items()[1], which.items()[2], which.items()[3]);
    Data changes = Data::MakeArray();
    for (const Data& change : changes_.at(realm.as_string())) {
      if (change["touch"].as_bool() || !(change["table"] == table) || !(change["id"] == id))
        continue;
      if (change["revision"].as_u64() <= above.as_u64()) continue;
      Data one = Fields{{"before", change["before"]}};
      if (!change["offered"].is_null()) one.Set("offered", change["offered"]);
      changes.Push(std::move(one));
    }
    list.Push(Fields{{"realm", realm},
                     {"table", table},
                     {"id", id},
                     {"above", above},
                     {"changes", std::move(changes)}});
  }
  return list;
}

MemoryDatabase::OffersTaken MemoryDatabase::TakeBack(const Schema& served, const Offers& offers) {
  OffersTaken taken;
  const Data& body = offers.body;
  const std::string& realm = body["realm"].as_string();
  const auto head = heads_.find(realm);
  if (head == heads_.end()) return taken;
  const uint64_t common = CommonOf(realm, body["cursor"].as_string());
  taken.common = common;
  if (head->second.floor > 0 && common < head->second.floor) return taken;
  if (common == 0 && !IsFoundable(realm)) return taken;
  Rows space;
  const Rows& rows = RowsOf(served, &space);
  std::set<std::string> realms{realm};
  for (;;) {
    Admitted admitted;
    admitted.locked = Data::MakeObject();
    admitted.said = Data::MakeArray();
    for (const std::string& name : realms) admitted.locked.Set(name, HeadOf(name));
    const Data offered =
        Fields{{"client", offers.client}, {"user", offers.user},
               {"update", offers.update}, {"realm", realm},
               {"common", common},        {"version", body["schema"].as_u64(served.version())},
               {"ops", body["ops"]},      {"times", body["times"]}};
    Data in = Fields{{"now", offers.now},
                     {"realms", admitted.locked},
                     {"rights", Data(Data::Array{offers.rights})},
                     {"requests", Data::MakeArray()},
                     {"validates", offers.rules != nullptr},
                     {"offered", offered}};
    AdmissionSession session(&served);
    for (;;) {
      SKERRY_CHECK(++admitted.rounds < kMaxRounds);
      admitted.out = ReadStep(session.Step(WriteJson(in)));
      if (const Data* questions = admitted.out.Find("rules")) {
        Data answers = Data::MakeArray();
        for (const Data& question : questions->items()) answers.Push(offers.rules(question));
        in = Fields{{"rules", std::move(answers)}};
        continue;
      }
      const Data* needs = admitted.out.Find("needs");
      if (needs == nullptr) break;
      in = NeededRows(served, rows, *needs).Set("since", ChangesSince((*needs)["since"]));
    }
    if (const Data* more = admitted.out.Find("lock")) {
      for (const Data& name : more->items()) SKERRY_CHECK(realms.insert(name.as_string()).second);
      continue;
    }
    Commit(served, admitted);
    taken.done = admitted.done();
    return taken;
  }
}

}  // namespace skerry::test
