#include "test/sim/user_rights.h"

#include "base/fields.h"
#include "base/json.h"
#include "sync/records.h"
#include "test/core/database/memory_database.h"

namespace skerry::sim {
namespace {

const std::string& FounderOf(const test::MemoryDatabase& database, const std::string& realm) {
  return database.log(realm)[0]["user"].as_string();
}

bool Holds(const Data& request, const std::string& realm) {
  return request["cursors"].Find(realm) != nullptr || test::ContainsString(request["lost"], realm);
}

}  // namespace

void UserRights::Changed(const std::string& user, const std::string& version, double at) {
  versions_[user] = {version, at};
  given_.emplace(user, version);
}

void UserRights::RecordOwner(const std::string& realm, const std::string& user) {
  owners_of_lost_.emplace(realm, user);
}

// Whether the realm was founded after it was said who owned it, by a user who neither founded nor
// owned it before. `said`: [role, founder, at].
bool UserRights::IsTakenOver(const test::MemoryDatabase& database, const std::string& realm,
                             const Data& said) const {
  const std::string& founder = FounderOf(database, realm);
  return database.log(realm)[0]["at"].as_number() > said.items()[2].as_number() &&
         !owners_of_lost_.contains({realm, founder}) && said.items()[1].as_string() != founder;
}

// What the token says of realms that may be lost.
Data UserRights::SaidBy(const std::string& user, const Data& claims) const {
  Data said = claims["lost"].is_object() ? claims["lost"] : Data::MakeObject();
  if (!claims["version"].is_string() || given_.contains({user, claims["version"].as_string()}))
    return said;
  for (const auto& [realm, of] : claims["realms"].members()) {
    if (said.Find(realm) == nullptr) said.Set(realm, of);
  }
  return said;
}

UserRights::Answered UserRights::Answer(const test::MemoryDatabase& database,
                                        const std::string& user, const ByRealm& roles,
                                        const Data& request, const ByRealm& readable) const {
  Data claims;
  if (request["realmsToken"].is_string())
    claims = ParseJson(request["realmsToken"].as_string()).value();
  SKERRY_CHECK(!claims.is_object() || claims["user"].as_string() == user);
  Answered answered;
  Data lost = Data::MakeObject();
  const Data all = SaidBy(user, claims);
  for (const auto& [realm, said] : all.members()) {
    const bool is_there = readable.contains(realm);
    if (!Holds(request, realm) || (is_there && !IsTakenOver(database, realm, said))) continue;
    lost.Set(realm, said);
    answered.lost.push_back(realm);
    const bool is_owner = said.items()[0].as_string() == "owner";
    if (is_owner && !owners_of_lost_.contains({realm, user})) answered.owned.push_back(realm);
  }
  const auto own = versions_.find(user);
  if (own == versions_.end()) return answered;
  const auto& [version, at] = own->second;
  if (claims["version"] == Data(version) && claims["lost"] == lost) return answered;
  Data realms = Data::MakeObject();
  for (const auto& [realm, role] : roles)
    realms.Set(realm, Data::MakeArray().Push(role).Push(FounderOf(database, realm)).Push(at));
  Data token = Fields{{"user", user}, {"version", version}};
  token.Set("realms", std::move(realms)).Set("lost", std::move(lost));
  answered.token = WriteJson(token);
  return answered;
}

}  // namespace skerry::sim
