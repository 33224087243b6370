// Goal: records of storage round-trip through their structs with unknown fields preserved; a
// damaged field is read as absent.
#include "log/members.h"

#include "base/json.h"
#include "doctest/doctest.h"
#include "log/sync_record.h"
#include "log/update_record.h"

namespace skerry {
namespace {

Data Stored(std::string_view json) { return ParseJson(json).value(); }

TEST_CASE("preserves unknown fields, in lists, too") {
  const Data stored = Stored(
      R"({"v":1,"n":4,"news":{"a":[1]},"scopes":[{"table":"t","where":["true"],"filled":"x","news":2}],
          "image":{"generation":"g","n":3,"cursors":{"A":"1@1"},"parts":[{"file":"f","bytes":1,"news":true}]}})");
  CHECK(SyncRecord::Read(stored).Write() == stored);
}

TEST_CASE("omits an absent field until it gets a value") {
  SyncRecord sync = SyncRecord::Read(Stored(R"({"v":1,"n":4})"));
  CHECK(sync.Write() == Stored(R"({"v":1,"n":4})"));
  sync.cursors["A"] = "1@1";
  CHECK(sync.Write() == Stored(R"({"v":1,"n":4,"cursors":{"A":"1@1"}})"));
}

TEST_CASE("writes every field of a new record but the optional ones") {
  const Data written = UpdateRecord().Write();
  CHECK(written.members().size() == 8);
  CHECK(written.Find("generation") == nullptr);
  CHECK(written.Find("body") != nullptr);
}

TEST_CASE("reads fields of a wrong type as absent, and omits them from lists and maps") {
  const SyncRecord sync = SyncRecord::Read(Stored(
      R"({"n":-1,"client":7,"clockOffset":"x","refill":["A",1,""],"cursors":{"A":"1@1","B":2},
          "seen":{"A":1,"B":1.5},"scopes":[3,{"table":"t","where":["true"]}],"image":{"generation":"g"}})"));
  CHECK(sync.n == 0);
  CHECK(sync.client.empty());
  CHECK_FALSE(sync.clock_offset.has_value());
  CHECK(sync.refill == Vector<std::string>{"A"});
  CHECK(sync.cursors == Cursors{{"A", "1@1"}});
  CHECK(sync.seen == Revisions{{"A", 1}});
  CHECK(sync.scopes.empty());
  CHECK_FALSE(sync.image.has_value());
  CHECK(SyncRecord::Read(Data("no object")).n == 0);
}

}  // namespace
}  // namespace skerry
