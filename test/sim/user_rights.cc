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

// Whether the realm was founded after the token was made, by a user who neither founded nor owned it
// before.
bool UserRights::IsTakenOver(const test::MemoryDatabase& database, const std::string& realm,
                             const Data& claims) const {
  const std::string& founder = FounderOf(database, realm);
  return database.log(realm)[0]["at"].as_number() > claims["at"].as_number() &&
         !owners_of_lost_.contains({realm, founder}) &&
         claims["realms"][realm].items()[1].as_string() != founder;
}

UserRights::Answered UserRights::Answer(const test::MemoryDatabase& database,
                                        const std::string& user, const ByRealm& roles,
                                        const Data& request, const ByRealm& readable) const {
  const auto own = versions_.find(user);
  Data claims;
  if (request["realmsToken"].is_string())
    claims = ParseJson(request["realmsToken"].as_string()).value();
  const bool has_token = claims["user"].is_string() && claims["user"].as_string() == user;
  const std::string& version = claims["version"].as_string();
  if (has_token && own != versions_.end() && version == own->second.version) return {};
  Answered answered;
  if (has_token && !given_.contains({user, version})) {
    for (const auto& [realm, said] : claims["realms"].members()) {
      if (!Holds(request, realm)) continue;
      const bool is_there = readable.contains(realm);
      if (is_there && !IsTakenOver(database, realm, claims)) continue;
      answered.lost.push_back(realm);
      const bool is_owner = said.items()[0].as_string() == "owner";
      if (is_owner && !owners_of_lost_.contains({realm, user})) answered.owned.push_back(realm);
    }
    if (!answered.lost.empty()) return answered;
  }
  if (own == versions_.end()) return answered;
  Data realms = Data::MakeObject();
  for (const auto& [realm, role] : roles)
    realms.Set(realm, Data::MakeArray().Push(role).Push(FounderOf(database, realm)));
  const Data token = Fields{{"user", user},
                            {"version", own->second.version},
                            {"at", own->second.at},
                            {"realms", std::move(realms)}};
  answered.token = WriteJson(token);
  return answered;
}

}  // namespace skerry::sim
