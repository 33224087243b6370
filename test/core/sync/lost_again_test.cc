// Goal: rows of a history that a server has lost are replaced only after a window has offered them, and are offered once
// more if the server has lost that, too. Method: answers, given to the class that folds them.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "log/wire/pull_request.h"
#include "sync/pull.h"
#include "test/core/sync/sync_fixture.h"

namespace skerry::sync_test {
namespace {

Data One(const std::string& name, const char* value) {
  Data object = Data::MakeObject();
  return object.Set(name, value);
}

Data Asked(const SyncRecord& sync) {
  return Json(MakePullRequest(SyncSchema(), sync, {}, 100).body);
}

TEST_CASE("a realm that is lost again is founded and offered again") {
  const std::string realm = "01970000-0000-7000-8000-00000000000a";
  SyncRecord sync;
  sync.lost = {realm};
  sync.refill = {realm};
  sync.lost_at[realm] = {"5@1", true, true, "8@8", {}};
  OutboxRecord founding;
  founding.id = SyncUuid(7);
  founding.client = "c";
  founding.state = OutboxState::kReceived;
  founding.after[realm] = {};
  PullAnswer answer;
  answer.lost = {realm};
  const PullRequest request = MakePullRequest(SyncSchema(), sync, {founding}, 100);
  PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
  REQUIRE(fold.Decide({founding}, sync));
  const Data writes = fold.Finish();
  CHECK(!fold.waits());
  const LostPlace& place = fold.sync().lost_at.at(realm);
  CHECK(place.cursor == "5@1");
  CHECK(!place.offered.has_value());
  CHECK(!place.founded.has_value());
  CHECK(!place.given.has_value());
  // What was sent to the log that is lost is to be sent again.
  const bool is_undone = std::ranges::any_of(writes.items(), [](const Data& write) {
    return write["store"].Is("outbox") && write.Find("put") == nullptr;
  });
  CHECK(is_undone);
  REQUIRE(fold.record().has_value());
  CHECK(fold.record()->lost == Vector<std::string>{realm});
}

TEST_CASE("a realm that comes by image is lost until the image is there") {
  SyncRecord sync;
  sync.lost = {"A"};
  sync.refill = {"A"};
  sync.lost_at["A"] = {"5@1", {}, true, "8@8", {}};
  PullAnswer answer;
  answer.cursors = {{"A", "0@0"}};
  wire::Image image;
  image.realm = "A";
  image.revision = 9;
  answer.images = {image};
  const PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 100);
  PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
  REQUIRE(fold.Decide({}, sync));
  (void)fold.Finish();
  CHECK(!fold.waits());
  CHECK(fold.sync().lost == Vector<std::string>{"A"});
  CHECK(fold.sync().lost_at.at("A").given == "8@8");
  CHECK(Asked(fold.sync())["given"] == One("A", "8@8"));
}

TEST_CASE("another history replaces rows of any realm only after they were offered") {
  const std::string realm = "01970000-0000-7000-8000-00000000000a";
  SyncRecord sync;
  sync.cursors = {{realm, "5@1"}, {"A", "5@1"}};
  sync.chain.links[realm] = {7, SyncUuid(7), {}};
  const auto folded = [&](PullAnswer answer) {
    const PullRequest request = MakePullRequest(SyncSchema(), sync, {}, 100);
    PullFold fold(&SyncSchema(), "anna", &request, &answer, 1, 0);
    REQUIRE(fold.Decide({}, sync));
    (void)fold.Finish();
    sync = fold.sync();
    return std::pair(fold.waits(), fold.record());
  };
  PullAnswer answer;
  answer.cursors = {{realm, "3@2"}, {"A", "6@2"}};
  answer.reset = {realm};
  const auto [waits, record] = folded(answer);
  CHECK(waits);
  REQUIRE(record.has_value());
  CHECK(record->lost == Vector<std::string>{realm});
  CHECK(sync.Offered(realm) == false);
  CHECK(sync.cursors == Cursors{{"A", "5@1"}});
  CHECK(!sync.chain.links.contains(realm));
  CHECK(sync.lost_at.at(realm).cursor == "5@1");
  // It is asked once, until a window has offered the rows.
  answer.reset.clear();
  const auto [still_waits, no_record] = folded(answer);
  CHECK(still_waits);
  CHECK(!no_record.has_value());
  CHECK(Asked(sync)["given"].is_null());
  // The server is restored once more, before the realm is read: it lacks what was given back.
  sync.lost_at[realm].offered = true;
  sync.lost_at[realm].given = "8@8";
  CHECK(Asked(sync)["given"] == One(realm, "8@8"));
  answer.reset = {realm};
  const auto [waits_again, again] = folded(answer);
  CHECK(waits_again);
  REQUIRE(again.has_value());
  CHECK(again->lost == Vector<std::string>{realm});
  CHECK(sync.Offered(realm) == false);
  CHECK(sync.lost_at.at(realm).cursor == "5@1");
  CHECK(!sync.lost_at.at(realm).given.has_value());
  answer.reset.clear();
  CHECK(folded(answer).first);
  sync.lost_at[realm].offered = true;
  const auto [waits_more, last] = folded(answer);
  CHECK(!waits_more);
  CHECK(last->lost == Vector<std::string>());
  CHECK(sync.cursors == answer.cursors);
  CHECK(!sync.lost.has_value());
  CHECK(sync.lost_at.empty());
  // Also one without members; it is no longer waited for once it is revoked.
  answer.reset = {"A"};
  CHECK(folded(answer).first);
  CHECK(sync.lost_at.at("A").cursor == "6@2");
  answer.reset.clear();
  answer.cursors.erase("A");
  CHECK(!folded(answer).first);
  CHECK(!sync.lost.has_value());
  CHECK(sync.lost_at.empty());
}

}  // namespace
}  // namespace skerry::sync_test
