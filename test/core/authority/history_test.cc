// Goal: a client's base is exactly the server's rows in scope at its cursors, and holds nothing of
// a realm that the client may not read. A client that names its own updates in `have` ends with
// the same rows as one that names none (invariant 10). Method: random histories of three clients
// and three realms, compared with the states that the world has kept: it keeps every state and
// computes nothing from the log. Updates arrive late and repeatedly, answers are lost or late,
// ranges are cut anywhere, scopes overlap, have sub-selects, and are filled page by page, again
// where too many rows depend on a changed inner row. All users may write A;
// rights to B and C differ by user, and change.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "authority/row_data.h"
#include "authority/scope.h"
#include "base/json.h"
#include "base/random.h"
#include "base/vector.h"
#include "log/cursor.h"
#include "test/core/authority/history_ops.h"
#include "test/core/authority/test_client.h"
#include "test/core/rounds.h"

namespace skerry::authority_test {
namespace {

// The rows of sub-selects, in the simplest way: among all rows of a realm at a revision.
class StateInnerRows final : public FilterContext {
 public:
  explicit StateInnerRows(const AuthorityWorld::Rows& state) : state_(state) {}
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override {
    const Value wanted = ColumnValue(filter.column, id, *row);
    for (const auto& [key, data] : state_) {
      const StoredRow inner = StoredRowFromData(WorldSchema(), data).value();
      if (wanted.is_null() || inner.key.table != filter.table) continue;
      if (ColumnValue(filter.via, inner.key.id, inner.row) == wanted &&
          Matches(filter.children[0], inner.key.id, inner.row, nullptr))
        return true;
    }
    return false;
  }

 private:
  const AuthorityWorld::Rows& state_;
};

class History {
 public:
  explicit History(uint64_t seed) : random_("history " + std::to_string(seed)) {
    world_.reads.page_rows = 1 + random_.Below(4);
    world_.reads.page_looks = 1 + random_.Below(6);
    if (random_.Below(3) == 0) {
      world_.reads.most_to_head = random_.Below(4);
      world_.reads.most_candidates = random_.Below(3);
    }
    world_.AddRealm("C");
    for (int i = 0; i < 3; ++i) {
      world_.AddRealm("user" + std::to_string(i));
      clients_.emplace_back(&world_, i, AnyHistoryScopes(&random_));
      Grant(i, "A", "write");
      for (const char* realm : {"B", "C"}) GrantAny(i, realm);
    }
    Author first(&world_, "first", "first");
    for (const char* realm : kHistoryRealms) {
      world_.Grant("first", realm, "write");
      REQUIRE(Status(first.Push(FirstHistoryOps(realm), {realm})) == "applied");
    }
    // In every other history they stay as they are.
    rights_change_ = random_.Below(2) == 0;
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      TestClient& client = clients_[random_.Below(clients_.size())];
      const uint64_t what = random_.Below(10);
      if (rights_change_ && random_.Below(30) == 0) {
        GrantAny(random_.Below(clients_.size()), random_.Below(2) == 0 ? "B" : "C");
      } else if (what < 4) {
        Make(&client);
      } else if (what < 7) {
        Deliver();
      } else if (what < 9) {
        Ask(&client);
      } else {
        Answer();
      }
    }
    for (int i = 0; i < 300 && !IsQuiet(); ++i) {
      while (!net_.empty()) Deliver();
      for (TestClient& client : clients_) {
        Ask(&client, 0);
        while (!answers_.empty()) Answer();
      }
    }
    CHECK(IsQuiet());
  }

 private:
  void Grant(size_t user, const char* realm, const std::string& right) {
    world_.Grant("user" + std::to_string(user), realm, right);
    rights_[{"user" + std::to_string(user), realm}] = right;
  }
  void GrantAny(size_t user, const char* realm) {
    Grant(user, realm,
          Vector<std::string>{"write", "write", "write", "read", "none"}[random_.Below(5)]);
  }
  const std::string& RightOf(const TestClient& client, const char* realm) const {
    return rights_.at({client.author.user(), realm});
  }

  bool IsQuiet() {
    for (TestClient& client : clients_) {
      if (!client.outbox.empty()) return false;
      for (const Data& scope : client.scopes.items()) {
        if (!scope["filled"].as_bool()) return false;
      }
      for (const char* realm : kHistoryRealms) {
        const bool reads = RightOf(client, realm) != "none";
        if (reads != client.cursors.contains(realm)) return false;
        if (reads && client.cursors[realm] != world_.cursor(realm, world_.head(realm)))
          return false;
      }
    }
    return net_.empty() && answers_.empty();
  }

  struct Sent {
    size_t client;
    Data update;
  };
  struct Answered {
    size_t client;
    Data request, plain_request, answer, plain;
  };

  void Make(TestClient* client) {
    if (client->outbox.size() >= 4) return;
    std::string ops = AnyHistoryOp(&random_);
    for (uint64_t more = random_.Below(3); more > 0; --more) ops += "," + AnyHistoryOp(&random_);
    Vector<std::string> realms;
    for (const char* realm : kHistoryRealms) {
      if (ops.find(Quoted(realm)) != std::string::npos) realms.push_back(realm);
    }
    client->outbox.push_back({client->author.Make("[" + ops + "]", realms), false, {}});
    net_.push_back({static_cast<size_t>(client - clients_.data()), client->outbox.back().update});
  }

  // Delivers one or a few updates of several clients in one group commit.
  void Deliver() {
    if (net_.empty()) return;
    Vector<AuthorityWorld::Request> requests;
    Vector<size_t> whose;
    for (uint64_t count = 1 + random_.Below(3); count > 0 && !net_.empty(); --count) {
      const size_t place = random_.Below(net_.size());
      const Sent sent = net_[place];
      // Sometimes a copy comes again later. Held updates stay under way.
      if (random_.Below(4) != 0) net_.erase(net_.begin() + static_cast<long>(place));
      const TestClient& client = clients_[sent.client];
      requests.push_back({client.author.client(), client.author.user(), {sent.update}});
      whose.push_back(sent.client);
    }
    std::map<std::string, uint64_t> heads;
    for (const char* realm : kHistoryRealms) heads[realm] = world_.head(realm);
    const Data results = world_.Commit(requests);
    REQUIRE_FALSE(results.Find("error"));
    for (const char* realm : kHistoryRealms) {
      const bool may = std::any_of(whose.begin(), whose.end(), [&](size_t client) {
        return RightOf(clients_[client], realm) == "write";
      });
      REQUIRE((may || world_.head(realm) == heads[realm]));
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      const Data& result = results.items()[i].items()[0];
      const Data& update = requests[i].updates[0];
      const std::string status = Status(result);
      const bool waits = status == "held" || status == "unknown_client";
      if (waits && IsAwaited(whose[i], update)) net_.push_back({whose[i], update});
      if (status == "rejected") Refused(&clients_[whose[i]], update);
      if (status != "applied") continue;
      REQUIRE(applied_.insert(update["id"].as_string()).second);  // exactly once
    }
  }

  bool IsAwaited(size_t client, const Data& update) const {
    for (const Pushed& pushed : clients_[client].outbox) {
      if (pushed.update["id"] == update["id"]) return !pushed.is_refused;
    }
    return false;
  }

  // Drops the rejected update and all that follow it, in any realm. The chain continues from before
  // them.
  void Refused(TestClient* client, const Data& update) {
    size_t first = 0;
    while (first < client->outbox.size() && !(client->outbox[first].update["id"] == update["id"]))
      ++first;
    if (first == client->outbox.size()) return;
    std::set<std::string> realms, gone;
    for (size_t i = first; i < client->outbox.size(); ++i) {
      const Data& later = client->outbox[i].update;
      bool follows = i == first;
      for (const auto& [realm, link] : later["after"].members())
        follows = follows || realms.contains(realm);
      if (!follows) continue;
      for (const auto& [realm, link] : later["after"].members()) {
        if (!realms.insert(realm).second) continue;
        Data only = Data::MakeObject(), after = Data::MakeObject();
        client->author.TakeBack(only.Set("after", after.Set(realm, link)));
      }
      gone.insert(later["id"].as_string());
    }
    erase_if(client->outbox,
             [&](const Pushed& pushed) { return gone.contains(pushed.update["id"].as_string()); });
  }

  void Ask(TestClient* client, uint64_t limit = ~0ull) {
    // Ranges end anywhere, differently in each realm, until the history is to come to rest.
    for (const char* realm : kHistoryRealms) {
      const bool is_cut = limit == ~0ull && random_.Below(2) == 0;
      world_.reads.most_entries[realm] = is_cut ? 1 + random_.Below(3) : 1000;
    }
    if (limit == ~0ull) limit = random_.Below(4);
    const std::string& user = client->author.user();
    Answered answered{static_cast<size_t>(client - clients_.data()),
                      client->Request(true, limit),
                      client->Request(false, limit),
                      {},
                      {}};
    answered.answer = world_.Pull(user, answered.request);
    answered.plain = world_.Pull(user, answered.plain_request);
    REQUIRE_FALSE(answered.answer.Find("error"));
    answers_.push_back(std::move(answered));
  }

  void Answer() {
    if (answers_.empty()) return;
    const size_t place = random_.Below(answers_.size());
    const Answered answered = answers_[place];
    answers_.erase(answers_.begin() + static_cast<long>(place));
    TestClient& client = clients_[answered.client];
    if (!client.Fits(answered.request)) return;
    for (const Data& fill : answered.answer["fills"].items())
      REQUIRE(TestClient::HasInnerRows(answered.request, fill));
    for (const auto& [update, places] : answered.answer["own"].members()) {
      const Data::Array& have = answered.request["have"].items();
      if (std::find(have.begin(), have.end(), Data(update)) == have.end()) continue;
      if (!IsHeld(client, update)) return;  // confirmed or given up since
    }
    client.Fold(answered.request, answered.answer, &client.base);
    client.Fold(answered.plain_request, answered.plain, &client.plain);
    const std::map<std::string, std::string> from = client.cursors;
    client.Advance(answered.answer);
    CheckWhole(from, client.cursors);
    // No pull confirms an update in a realm that its author may no longer read.
    erase_if(client.outbox, [&](const Pushed& pushed) {
      const Data::Object& after = pushed.update["after"].members();
      return applied_.contains(pushed.update["id"].as_string()) &&
             std::all_of(after.begin(), after.end(), [&](const auto& link) {
               return pushed.confirmed.contains(link.first) || !client.cursors.contains(link.first);
             });
    });
    Check(client);
  }

  static bool IsHeld(const TestClient& client, const std::string& update) {
    for (const Pushed& pushed : client.outbox) {
      if (pushed.update["id"].as_string() == update) return true;
    }
    return false;
  }

  // An update that spans realms is in all of their ranges or in none: a row that it moved is never
  // in both realms, and never missing in both.
  void CheckWhole(const std::map<std::string, std::string>& from,
                  const std::map<std::string, std::string>& to) const {
    std::map<std::string, std::map<bool, int>> updates;  // in the ranges, and beyond them
    for (const Data& entry : world_.entries()) {
      const auto start = from.find(entry["realm"].as_string());
      const auto end = to.find(entry["realm"].as_string());
      // A realm that is new to the client comes in its current state.
      if (start == from.end() || end == to.end() || CursorRevision(start->second) == 0) continue;
      const uint64_t revision = entry["revision"].as_u64();
      if (revision <= CursorRevision(start->second)) continue;
      ++updates[entry["update"].as_string()][revision <= CursorRevision(end->second)];
    }
    for (const auto& [update, places] : updates) REQUIRE(places.size() == 1);
  }

  void Check(const TestClient& client) {
    Vector<wire::PulledScope> wanted;
    FromData(Data(client.scopes), &wanted);
    const Result<Scopes> parsed = Scopes::Parse(WorldSchema(), std::move(wanted));
    const Scopes& scopes = parsed.value();
    for (const test::RowMap* base : {&client.base, &client.plain}) {
      for (const auto& [key, row] : base->rows) REQUIRE(client.cursors.contains(key.second));
    }
    for (const auto& [realm, cursor] : client.cursors) {
      const std::map<std::pair<ObjectKey, std::string>, Row> want =
          Wanted(scopes, realm, CursorRevision(cursor));
      const StateInnerRows inner(world_.StateAt(realm, CursorRevision(cursor)));
      for (const test::RowMap* base : {&client.base, &client.plain}) {
        size_t found = 0;
        for (const auto& [key, row] : base->rows) {
          if (key.second != realm) continue;
          // Beyond the filled part, rows of own updates may stay until the page comes.
          if (!scopes.Hold(key.first, row, true, inner)) {
            CHECK_FALSE(scopes.Cover(key.first));
            continue;
          }
          ++found;
          const auto wanted = want.find(key);
          REQUIRE_MESSAGE(wanted != want.end(), realm << " " << key.first.id << " is too much");
          REQUIRE_MESSAGE(wanted->second == row, realm << " " << key.first.id << " differs");
        }
        REQUIRE_MESSAGE(found == want.size(), realm << " lacks rows");
      }
    }
  }

  std::map<std::pair<ObjectKey, std::string>, Row> Wanted(const Scopes& scopes,
                                                          const std::string& realm,
                                                          uint64_t revision) const {
    std::map<std::pair<ObjectKey, std::string>, Row> want;
    const StateInnerRows inner(world_.StateAt(realm, revision));
    for (const auto& [key, data] : world_.StateAt(realm, revision)) {
      const Result<StoredRow> stored = StoredRowFromData(WorldSchema(), data);
      REQUIRE(stored.ok());
      const ObjectKey& object = stored.value().key;
      const Row& row = stored.value().row;
      if (scopes.Hold(object, row, true, inner)) want[{object, realm}] = row;
    }
    return want;
  }

  static std::string Quoted(const char* realm) { return std::string("\"") + realm + "\""; }

  Random random_;
  AuthorityWorld world_;
  std::map<std::pair<std::string, std::string>, std::string> rights_;  // user, realm
  bool rights_change_ = false;
  Vector<TestClient> clients_;
  Vector<Sent> net_;
  Vector<Answered> answers_;
  std::set<std::string> applied_;
};

TEST_CASE("gives E for diff(F, E) applied to F, reduced or not (invariants 4 and 10)") {
  for (uint64_t seed = 0; seed < test::Rounds(30, 10); ++seed) {
    CAPTURE(seed);
    History history(seed);
    // After the first run all scopes are filled, so the others are about changes only.
    for (const int steps : {60, 60, 60}) history.Run(steps);
  }
}

}  // namespace
}  // namespace skerry::authority_test
