// Goal: nothing is lost, nothing is doubled, each epoch has one owner (the world checks that at
// every transaction), and at the end storage folds to the server's rows. Method: random steps of
// several workers of one client on one storage, with a server of three realms, lost and late
// answers, ranges cut in one realm only, crashes, frozen holders and clock steps. Some walks have
// mutations of 300 to 900 kB, of which few fit into an update or a request.
#include "base/random.h"

#include <cstdlib>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "sync/records.h"
#include "test/core/rounds.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {
namespace {

constexpr const char* kRealms[] = {"A", "B", "C"};
constexpr size_t kAround = 64 * 1024;  // the ops and actions around the large texts

struct Walk {
  Walk(uint64_t seed, bool locks) : random(Seed(seed)), world(locks) {
    world.server.entries_a_pull = Vector<uint64_t>{1, 2, 4, 1000}[random.Below(4)];
    large = seed % 30 == 0 ? 8 : 0;
  }
  static std::string Seed(uint64_t seed) {
    std::string text = std::to_string(seed);
    text.resize(32, '#');
    return text;
  }
  SyncHost& AnyHost() { return world.host(random.Below(world.size())); }
  Op AnyOp() {
    const std::string id = "k" + std::to_string(random.Below(6));
    const auto rows = world.server.rows();
    const auto row = rows.find(id);
    const std::string realm = row != rows.end()      ? row->second.row.realm
                              : random.Below(3) == 0 ? kRealms[random.Below(3)]
                                                     : "A";
    if (large > 0 && random.Below(3) == 0) {
      --large;
      return UpdateItem(id, realm, std::string(300'000 + random.Below(600'000), 'x'));
    }
    switch (random.Below(7)) {
      case 0:
        return DeleteItem(id, realm);
      case 1:
        return UpdateItem(id, realm, random.Below(4) == 0 ? "bad" : "fine");
      case 2:
        return CreateItem(id, realm, 1, random.Below(8) == 0 ? "bad" : "new");
      case 3:
        // Sometimes to its own realm: no server accepts that, and the other mutations are still
        // pushed in order.
        return random.Below(3) == 0 ? MoveItem(id, realm, kRealms[random.Below(3)])
                                    : IncItem(id, realm, 2);
      default:
        return IncItem("total", "A", 1);
    }
  }
  void Step();
  void Heal();
  void Check();
  void CheckRequests();
  void CheckPending();

  Random random;
  SyncWorld world;
  Vector<std::string> made;
  uint64_t large = 0;  // how many large mutations are still to be made
};

// Updates and requests stay within their limits: an update, unless it is one larger mutation; a
// request of half the body limit, unless it is one update.
void Walk::CheckRequests() {
  for (const std::string& body : world.push_bodies) {
    if (body.size() <= kMaxUpdateBytes) continue;
    const Data updates = Json(body)["updates"];
    CHECK((body.size() <= kMaxBodyBytes / 2 + kAround || updates.items().size() == 1));
    for (const Data& update : updates.items()) {
      const size_t bytes = WriteJson(update).size();
      CHECK((bytes <= kMaxUpdateBytes + kAround || update["actions"].items().size() == 1));
    }
  }
  world.push_bodies.clear();
}

// A mutation that the log has beyond the cursor stays pending; else it would disappear until it is
// pulled.
void Walk::CheckPending() {
  std::set<std::string> pending;
  for (const auto& [key, mutation] : world.storage.store("mutations"))
    pending.insert(mutation["id"].as_string());
  const Data sync = world.sync();
  for (const char* realm : kRealms) {
    const uint64_t from = CursorRevision(sync["cursors"][realm].as_string());
    for (const std::string& action : world.server.ActionsAfter(realm, from))
      CHECK(pending.contains(action));
  }
}

void Walk::Step() {
  const uint64_t x = random.Below(100);
  SyncHost& host = AnyHost();
  const size_t index =
      static_cast<size_t>(&host == &world.host(0) ? 0 : random.Below(world.size()));
  if (x < 12) {
    Vector<Op> ops{AnyOp()};
    if (random.Below(3) == 0) ops.push_back(AnyOp());
    made.push_back(world.Mutate(ops, index));
  } else if (x < 70) {
    for (uint64_t i = random.Below(6) + 1; i > 0; --i) AnyHost().StepOnce();
  } else if (x < 80) {
    // Time passes; timers that are due fire, unless a page is frozen.
    world.mono += static_cast<double>(random.Below(3000));
    for (size_t i = 0; i < world.size(); ++i) world.host(i).FireTimers();
  } else if (x < 84) {
    world.network.lose_requests = static_cast<int>(random.Below(2));
    world.network.lose_answers = static_cast<int>(random.Below(2));
  } else if (x < 87) {
    world.network.hold_answers = !world.network.hold_answers;
  } else if (x < 90) {
    world.Release();
  } else if (x < 92) {
    if (host.alive) host.Crash();
    world.Open();
  } else if (x < 95) {
    host.frozen = !host.frozen;
  } else if (x < 96) {
    host.wall_skew += (random.Below(2) == 0 ? 1 : -1) * 86'400'000.0;
  } else if (x < 98) {
    Data message = Json(random.Below(2) == 0 ? R"({"type":"visible","visible":false})"
                                             : R"({"type":"visible","visible":true})");
    if (host.alive) host.Post(message);
  } else {
    world.server.Foreign("k" + std::to_string(random.Below(6)), "A", "foreign");
  }
}

void Walk::Heal() {
  world.network = Network();
  world.Release();
  for (size_t i = 0; i < world.size(); ++i) {
    world.host(i).frozen = false;
    if (world.host(i).alive) world.host(i).Post(Json(R"({"type":"visible","visible":true})"));
  }
  world.Run(400000);
}

void Walk::Check() {
  CHECK(world.storage.Count("mutations") == 0);
  CHECK(world.storage.Count("outbox") == 0);
  const auto counts = world.server.ActionCounts();
  for (const auto& [action, count] : counts) CHECK(count == 1);
  std::map<std::string, int> places;
  for (const auto& [place, count] : counts) places[place.second] = 1;
  for (const auto& [key, entry] : world.storage.store("conflicts")) {
    const std::string& action = entry["mutation"]["id"].as_string();
    // An edit that met no row is in the log, too; the inbox has it for its author.
    if (entry["reason"].Is("row_deleted")) {
      CHECK(places[action] == 1);
    } else {
      ++places[action];
    }
  }
  for (const std::string& action : made) {
    CAPTURE(action);
    CHECK(places[action] == 1);  // confirmed or in the inbox, and not in both
  }
  for (const auto& [id, bodies] : world.server.bodies) CHECK(bodies.size() == 1);
  // A client's mutations are in each log in the order of their keys.
  std::map<std::string, size_t> order;
  for (size_t i = 0; i < made.size(); ++i) order[made[i]] = i + 1;
  for (const char* realm : kRealms) {
    size_t last = 0;
    for (const std::string& action : world.server.ActionsAfter(realm, 0)) {
      CHECK(order[action] > last);
      last = order[action];
    }
  }
  CHECK(world.Converged());
}

void RunWalks(uint64_t first, uint64_t count) {
  for (uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    Walk walk(seed, seed % 2 == 0);
    for (uint64_t i = 0; i < 1 + seed % 3; ++i) walk.world.Open();
    for (int step = 0, steps = walk.large > 0 ? 90 : 300; step < steps; ++step) {
      walk.Step();
      walk.CheckRequests();
      walk.CheckPending();
    }
    walk.Heal();
    walk.CheckRequests();
    walk.Check();
  }
}

TEST_CASE("loses and doubles nothing over random steps of several workers") {
  // SKERRY_SEED and SKERRY_SEEDS replay one walk, or walk further.
  const char* first = std::getenv("SKERRY_SEED");
  const char* count = std::getenv("SKERRY_SEEDS");
  RunWalks(first != nullptr ? std::strtoull(first, nullptr, 10) : 1,
           count != nullptr   ? std::strtoull(count, nullptr, 10)
           : first != nullptr ? 1
                              : test::Rounds(60, 15));
}

}  // namespace
}  // namespace skerry::sync_test
