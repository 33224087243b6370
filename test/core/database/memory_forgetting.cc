// A MemoryDatabase forgets its log, as server/src/retention does it: the authority says which
// entries go.
#include <algorithm>
#include <utility>

#include "authority/log_forgetting.h"
#include "base/fields.h"
#include "base/json.h"
#include "model/members.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {
namespace {

bool IsUpTo(const Data& item, uint64_t revision) { return item["revision"].as_u64() <= revision; }

// An entry of which only the outcome is kept.
Data OutcomeOf(Data entry) {
  Data actions = Data::MakeArray();
  for (const Data& action : entry["actions"].items()) actions.Push(Fields{{"id", action["id"]}});
  Data ops = MemberOps(entry["ops"]);
  entry.Set("actions", std::move(actions)).Set("ops", std::move(ops)).Set("base", Data());
  entry.Set("tables", Data::MakeArray()).Set("streams", Data::MakeArray());
  return entry.Set("forgotten", true);
}

}  // namespace

Data MemberOps(const Data& ops) {
  Data list = Data::MakeArray();
  for (const Data& op : ops.items()) {
    if (op["table"].as_string() == kMembersTable) list.Push(op);
  }
  return list;
}

bool MemoryDatabase::HasEntry(const std::string& realm, uint64_t revision) const {
  const auto gone = gone_.find(realm);
  return gone == gone_.end() || !gone->second.contains(revision);
}

uint64_t MemoryDatabase::Forget(const std::string& realm, double before) {
  Data entries = Data::MakeArray();
  for (const Data& entry : log_.at(realm)) {
    if (!HasEntry(realm, entry["revision"].as_u64())) continue;
    const auto chain = chains_.find({entry["client"].as_string(), realm});
    Data item = Fields{{"revision", entry["revision"]}, {"at", entry["at"]}, {"seq", entry["seq"]}};
    if (chain != chains_.end())
      item.Set("last", chain->second["seq"]).Set("seen", chain->second["seen"]);
    entries.Push(std::move(item));
  }
  Head& head = heads_.at(realm);
  Data old = Fields{{"before", before}, {"floor", head.floor}, {"floorAt", head.floor_at}};
  old.Set("entries", std::move(entries));
  const Data said = ParseJson(ForgetLogJson(WriteJson(old))).value();
  const uint64_t floor = said["floor"].as_u64();
  head.floor = floor;
  head.floor_at = said["floorAt"].as_number();
  for (const Data& revision : said["gone"].items()) gone_[realm].insert(revision.as_u64());
  for (const Data& revision : said["kept"].items()) {
    Data& entry = log_.at(realm)[revision.as_u64() - 1];
    entry = OutcomeOf(std::move(entry));
  }
  erase_if(changes_.at(realm), [&](const Data& change) { return IsUpTo(change, floor); });
  std::erase_if(rows_, [&](const auto& item) {
    return item.first.realm == realm && item.second.deleted_at && item.second.row.revision <= floor;
  });
  return said["gone"].items().size();
}

}  // namespace skerry::test
