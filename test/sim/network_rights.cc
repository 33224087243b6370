// What requests grant their users, who may read what, and the images that they fetch.
#include "test/sim/network.h"
#include "test/sim/world.h"

namespace skerry::sim {

Caller Network::CallerOf(const Profile& profile) const {
  return {profile.user, given_.at(profile.user)};
}

Caller Network::CallerOf(const Message& message) const {
  return message.author ? *message.author : CallerOf(*world_->profiles()[message.profile]);
}

// By user: the realms that requests may read.
std::map<std::string, test::naive::Names> Network::Readers() const {
  std::map<std::string, test::naive::Names> readers;
  for (const auto& [user, grants] : given_) {
    test::naive::Names& realms = readers[user];
    for (const auto& [realm, right] : database_.ReadableBy({user, grants})) realms.insert(realm);
  }
  return readers;
}

void Network::Grant(const std::string& user, const std::string& realm, test::naive::May right) {
  test::naive::May& given = given_.at(user)[realm];
  if (given == right) return;
  world_->Happened(Kind::kGrant);
  given = right;
  pokes_.Regranted(user);
}

Data Network::FetchImage(WorkerHost& worker, const Data& fetch) {
  const auto failed = [](std::string_view name, double status) {
    Data error = Data::MakeObject();
    error.Set("name", name).Set("message", "as the simulator wishes");
    return status == 0 ? error : error.Set("status", status);
  };
  const bool is_lost = TakeArmed({Kind::kLoseRequest, Kind::kCutAfterCommit}).has_value();
  if (is_lost || !worker.profile().online) return failed("network", 0);
  if (TakeArmed({Kind::kUnavailable})) return failed("status", 503);
  if (!Accepts(fetch["token"])) return failed("status", 401);
  const std::string& url = fetch["url"].as_string();
  const std::string* const file = images_.Find(url);
  const auto readable = database_.ReadableBy(CallerOf(worker.profile()));
  if (file == nullptr || !readable.contains(ServerImages::RealmOf(url)))
    return failed("status", 404);
  return Data::Bytes(*file);
}

}  // namespace skerry::sim
