#include "test/core/model_check/base_check.h"

#include "base/json.h"
#include "base/vector.h"
#include "model/members.h"
#include "sync/records.h"
#include "test/core/database/memory_database.h"

namespace skerry::test {
namespace {

// Scopes, and how far they are filled.
using Fills = Vector<std::pair<const CheckScope*, Data>>;

Fills FillsOf(const Replica& client) {
  Fills fills;
  static const Data whole = true;
  for (const CheckScope& scope : client.scopes) {
    // Memberships come always, and all of them.
    if (scope.table == kMembersTable) {
      fills.emplace_back(&scope, whole);
      continue;
    }
    if (const Data* filled = FilledOf(client.sync, scope)) fills.emplace_back(&scope, *filled);
  }
  return fills;
}

bool Covers(const Data& filled, const std::string& id) {
  return filled.as_bool() || (filled.is_string() && id <= filled.as_string());
}

// What base must have of an object. kAnything: the object is beyond the filled part.
enum class Demand { kRow, kNoRow, kAnything };

Demand DemandOf(const Fills& fills, const naive::Key& key, const naive::Row* row) {
  bool covered = true;
  for (const auto& [scope, filled] : fills) {
    if (scope->table != naive::TableOf(key)) continue;
    const bool covers = Covers(filled, naive::IdOf(key));
    covered = covered && covers;
    if (covers && row && scope->holds(key, *row)) return Demand::kRow;
  }
  return covered ? Demand::kNoRow : Demand::kAnything;
}

naive::Rows Held(const Replica& client, const std::string& realm) {
  naive::Rows held;
  for (const auto& [place, row] : client.base.rows) {
    if (place.second == realm)
      held[KeyOf(place.first, realm, *client.schema)] =
          NaiveRowOf(place.first, row, *client.schema);
  }
  return client.known ? client.known(held) : held;
}

const naive::Rows& StateOf(const Replica& client, const naive::Server& server,
                           const std::string& realm, naive::Rows* space) {
  const naive::Rows& state =
      server.StateAt(realm, CursorRevision(client.sync["cursors"][realm].as_string()));
  return client.known ? *space = client.known(state) : state;
}

bool IsHeld(const Fills& fills, const naive::Key& key, const naive::Rows& state,
            const naive::Rows& held) {
  const auto row = state.find(key);
  if (row == state.end()) return true;
  for (const auto& [scope, filled] : fills) {
    if (!scope->holds(key, row->second)) continue;
    const auto mine = held.find(key);
    return mine != held.end() && mine->second == row->second;
  }
  return true;
}

}  // namespace

const Data* FilledOf(const Data& sync, const CheckScope& scope) {
  for (const Data& data : sync["scopes"].items()) {
    const bool same =
        data["table"].as_string() == scope.table && WriteJson(data["where"]) == scope.where;
    if (same) return data.Find("filled");
  }
  return nullptr;
}

std::string BaseProblem(const Replica& client, const naive::Server& server) {
  const Fills fills = FillsOf(client);
  for (const std::string& realm : server.realms()) {
    const naive::Rows held = Held(client, realm);
    // After the first pull, every readable realm has a cursor. The rows of a realm that the server
    // has lost stay.
    if (!client.sync["cursors"].Find(realm)) {
      if (ContainsString(client.sync["lost"], realm)) continue;
      if (!held.empty()) return "base holds rows of " + realm + ", which it never pulled";
      continue;
    }
    naive::Rows space;
    const naive::Rows& state = StateOf(client, server, realm, &space);
    for (const auto& [key, row] : state) {
      const Demand demand = DemandOf(fills, key, &row);
      const auto mine = held.find(key);
      const bool is_there = mine != held.end();
      if (demand == Demand::kRow && (!is_there || mine->second != row))
        return "base is wrong in " + realm + " at " + key +
               (is_there ? DifferenceOf(mine->second, row) : std::string());
      if (demand == Demand::kNoRow && is_there)
        return "base holds " + key + " of " + realm + " out of scope";
    }
    for (const auto& [key, row] : held) {
      const bool is_too_large =
          !state.contains(key) && DemandOf(fills, key, nullptr) == Demand::kNoRow;
      if (is_too_large) return "base still has " + key + " in " + realm;
    }
  }
  return {};
}

std::string OwnProblem(const Replica& client, const naive::Server& server,
                       const PullRequest& request, const PullAnswer& answer) {
  const Fills fills = FillsOf(client);
  for (const auto& [update, entries] : answer.own) {
    if (!request.have.contains(update)) continue;
    for (const auto& [realm, entry] : entries) {
      if (entry.revision <= CursorRevision(request.cursors, realm)) continue;
      const naive::Rows held = Held(client, realm);
      for (const naive::Op& op : server.log(realm)[entry.revision - 1].ops) {
        naive::Rows space;
        if (!IsHeld(fills, op.key, StateOf(client, server, realm, &space), held))
          return "an own object is not held: " + op.key;
      }
    }
  }
  return {};
}

}  // namespace skerry::test
