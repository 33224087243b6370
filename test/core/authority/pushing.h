// Helpers of tests that write and push updates.
#ifndef SKERRY_TEST_CORE_AUTHORITY_PUSHING_H_
#define SKERRY_TEST_CORE_AUTHORITY_PUSHING_H_

#include <map>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/authority/world.h"

namespace skerry::authority_test {

// Makes the updates of one client. Each follows the previous one in every realm that it names.
class Author {
 public:
  Author(AuthorityWorld* world, std::string client, std::string user = "anna")
      : world_(world), client_(std::move(client)), user_(std::move(user)) {}

  // An update with one action and these ops (a JSON array), declared in `realms`. Advances the
  // chain.
  Data Make(std::string_view ops, const Vector<std::string>& realms = {"A"});
  // Makes and pushes an update; returns its result. Unless that is `applied`, resets the chain.
  Data Push(std::string_view ops, const Vector<std::string>& realms = {"A"});
  Data Send(const Data& update) { return world_->Push(client_, user_, update); }
  // Resets the chain: the next update follows the predecessor of `update`.
  void TakeBack(const Data& update);
  const std::string& client() const { return client_; }
  const std::string& user() const { return user_; }

 private:
  AuthorityWorld* world_;
  std::string client_, user_;
  std::map<std::string, Data> chain_;
};

inline std::string Status(const Data& result) { return result["status"].as_string(); }
// The code of the first rejection.
std::string RejectCode(const Data& result);

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_PUSHING_H_
