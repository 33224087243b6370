// UserRights: what the server's database knows of a user's rights beside the rows, and what a pull
// answers to a realms token (server/src/rights/lost.ts). Its tokens are not signed: nobody forges
// them here.
#ifndef SKERRY_TEST_SIM_USER_RIGHTS_H_
#define SKERRY_TEST_SIM_USER_RIGHTS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::test {
class MemoryDatabase;
}

namespace skerry::sim {

class UserRights {
 public:
  using ByRealm = std::map<std::string, std::string>;

  // The user's memberships have changed.
  void Changed(const std::string& user, const std::string& version, double at);
  // A token has shown that the user owned the realm in a history that is lost.
  void RecordOwner(const std::string& realm, const std::string& user);

  struct Answered {
    Vector<std::string> lost;
    Vector<std::string> owned;         // those of them for RecordOwner
    std::optional<std::string> token;  // a new one
  };
  // `roles`: the user's memberships. `readable`: with them, what else the user may read.
  Answered Answer(const test::MemoryDatabase& database, const std::string& user,
                  const ByRealm& roles, const Data& request, const ByRealm& readable) const;

 private:
  struct Version {
    std::string version;
    double at = 0;
  };
  bool IsTakenOver(const test::MemoryDatabase& database, const std::string& realm,
                   const Data& said) const;
  Data SaidBy(const std::string& user, const Data& claims) const;

  std::map<std::string, Version> versions_;                       // by user
  std::set<std::pair<std::string, std::string>> given_;           // user, version
  std::set<std::pair<std::string, std::string>> owners_of_lost_;  // realm, user
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_USER_RIGHTS_H_
