#include "test/core/authority/pushing.h"

#include <doctest/doctest.h>

#include "base/vector.h"

namespace skerry::authority_test {
namespace {

uint64_t NextNumber() {
  static uint64_t number = 0;
  return ++number;
}

}  // namespace

Data Author::Make(std::string_view ops, const Vector<std::string>& realms) {
  Data after = Data::MakeObject(), actions = Data::MakeArray(), action = Data::MakeObject();
  const std::string id = Id(NextNumber());
  for (const std::string& realm : realms) {
    after.Set(realm, chain_[realm]);
    Data link = Data::MakeObject();
    link.Set("seq", chain_[realm]["seq"].as_u64() + 1).Set("id", id);
    chain_[realm] = std::move(link);
  }
  action.Set("id", Id(NextNumber())).Set("name", "act").Set("arg", Data()).Set("at", 1);
  actions.Push(std::move(action));
  Data update = Data::MakeObject();
  update.Set("id", id).Set("after", std::move(after)).Set("at", 1);
  update.Set("actions", std::move(actions)).Set("ops", Json(ops));
  return update;
}

void Author::TakeBack(const Data& update) {
  for (const auto& [realm, link] : update["after"].members()) chain_[realm] = link;
}

Data Author::Push(std::string_view ops, const Vector<std::string>& realms) {
  const Data update = Make(ops, realms);
  const Data result = Send(update);
  if (Status(result) != "applied") TakeBack(update);
  return result;
}

std::string RejectCode(const Data& result) {
  if (Status(result) != "rejected") return "not rejected: " + Status(result);
  REQUIRE(!result["rejected"].items().empty());
  return result["rejected"].items()[0]["code"].as_string();
}

}  // namespace skerry::authority_test
