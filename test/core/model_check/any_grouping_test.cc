// Goal: what becomes of a user's actions does not depend on how they are grouped into updates. Method:
// random actions of a device, over rows that another client has changed meanwhile (unique values
// taken, parents and rows deleted, rows moved), in realms of which one may only be read. The same
// actions are grouped in every way into consecutive updates, pushed one after the other or several at
// once, by the real grouping and quarantine of src/sync to the real authority. In the end the server's
// rows and the device's inbox must be the same as if every action had been pushed by itself.
//
// One thing depends on grouping, on purpose: edits of one object that is gone may come to the inbox as
// one entry or as several. So entries of that kind are compared object by object, by what they wanted
// together; and not if the user has deleted the object as well (docs/design.md, "Refusals").
#include <map>
#include <set>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/model_check/production_client.h"
#include "test/core/model_check/production_server.h"
#include "test/core/rounds.h"

namespace skerry::test {
namespace {

using Outcome = std::set<std::string>;

class GroupingWorld {
 public:
  explicit GroupingWorld(uint64_t seed)
      : random_("groupings " + std::to_string(seed)),
        id_random_("groupings, ids " + std::to_string(seed)),
        ids_(&id_random_),
        server_(&CheckSchema(), ThreeRealms()),
        other_(&CheckSchema(), ids_.Next(1), ScopeChoices()[0]),
        device_(&CheckSchema(), ids_.Next(1), ScopeChoices()[0]) {
    moves_ = random_.Below(3) * .1;
    OfOther(6);
    Pull(&device_, server_);
    const size_t count = 2 + random_.Below(4);
    for (size_t i = 0; i < count; ++i) {
      Vector<naive::Op> ops;
      for (uint64_t n = 1 + random_.Below(2); n > 0; --n) ops.push_back(Any(device_));
      Note(ops);
      actions_.push_back(device_.Mutate(ops, ++now_, &ids_));
    }
    OfOther(4);
  }

  size_t actions() const { return actions_.size(); }

  // Bit i of `cuts`: a new update begins after action i. `at_once`: several updates are on their way
  // at a time.
  Outcome Run(uint32_t cuts, bool at_once) {
    ProductionServer server = server_;
    ProductionClient device = device_;
    for (size_t i = 0; i < actions_.size(); ++i) {
      const bool is_last = i + 1 == actions_.size();
      if (!is_last && (cuts >> i & 1) == 0) continue;
      if (!at_once || is_last) {
        Settle(&device, &server, actions_[i]);
      } else {
        device.Group(device.CountUpTo(actions_[i]), ++now_, &ids_);
      }
    }
    REQUIRE(device.IsIdle());
    return OutcomeOf(device, server);
  }

  std::string Text() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  naive::Op Any(const ProductionClient& client) {
    return AnyOp(client.Visible(), ThreeRealms(), moves_, &random_, &serial_);
  }

  static naive::Rights DeviceRights() { return {{"C", naive::May::kRead}}; }

  void OfOther(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      other_.Mutate({Any(other_)}, ++now_, &ids_);
      for (int round = 0; round < 10 && !other_.IsIdle(); ++round)
        Exchange(&other_, &server_, 1, {});
      REQUIRE(other_.IsIdle());
    }
  }

  void Pull(ProductionClient* client, const ProductionServer& server) {
    ProductionServer copy = server;
    Exchange(client, &copy, 0, {});
  }

  void Exchange(ProductionClient* client, ProductionServer* server, size_t group,
                const naive::Rights& rights) {
    if (group > 0) client->Group(group, ++now_, &ids_);
    const ProductionClient::Sent sent = client->Send();
    if (!sent.ids.empty()) {
      const Data results(server->Push(sent.client, sent.updates, ++now_, rights));
      client->Answered(sent.ids, results, ++now_, &ids_);
    }
    const PullRequest request = client->Ask(0);
    const Data body = ParseJson(request.body).value();
    const PullAnswer answer =
        server->Pull(body, ProductionServer::Reads::kAll, 100, ++now_, rights);
    REQUIRE(client->Pulled(request, answer, ++now_));
  }

  // Until everything up to the action has its outcome.
  void Settle(ProductionClient* client, ProductionServer* server, const std::string& upto) {
    for (int round = 0; round < 60; ++round) {
      const size_t left = client->CountUpTo(upto);
      if (left == 0) return;
      Exchange(client, server, left, DeviceRights());
    }
    FAIL("an action is pushed for ever");
  }

  void Note(const Vector<naive::Op>& ops) {
    std::string line = "action " + std::to_string(actions_.size()) + ":";
    for (const naive::Op& op : ops) {
      line += " " + op.op + " " + op.key + " in " + op.realm + op.to;
      for (const auto& [prop, value] : op.set) line += " " + prop + "=" + WriteJson(value);
      if (op.op == "delete") deleted_.insert(naive::TableOf(op.key) + "/" + naive::IdOf(op.key));
      if (!op.add.empty()) added_.insert(naive::TableOf(op.key) + "/" + naive::IdOf(op.key));
    }
    lines_.push_back(line);
  }

  Outcome OutcomeOf(const ProductionClient& device, const ProductionServer& server) const {
    Outcome outcome;
    for (const auto& [key, stored] : server.database().rows()) {
      if (stored.deleted_at) continue;
      std::string line = "row " + KeyOf(key.object, key.realm);
      for (const auto& [prop, value] : NaiveRowOf(key.object, stored.row).props)
        line += " " + prop + "=" + WriteJson(value);
      outcome.insert(line);
    }
    std::map<std::string, std::map<std::string, std::string>> lost;
    for (const Data& entry : device.conflicts()) {
      const std::string& code = entry["code"].as_string();
      const std::string object = entry["table"].as_string() + "/" + entry["id"].as_string();
      if (code != "parent_deleted" && code != "row_deleted") {
        outcome.insert("inbox " +
                       std::to_string(device.KeyOfAction(entry["mutation"]["id"].as_string())) +
                       " " + code + " " + entry["detail"].as_string() + " " + object + " " +
                       WriteJson(entry["mine"]));
        continue;
      }
      CHECK_EQ(entry["reason"].as_string(), code == "row_deleted" ? code : "rejected");
      if (deleted_.contains(object)) continue;
      std::map<std::string, std::string>& mine = lost[object];
      for (const auto& [prop, value] : entry["mine"].members()) {
        // What is added to a value that is created with it is a part of it, or an op of its own.
        if (prop != "n" || !added_.contains(object)) mine[prop] = WriteJson(value);
      }
    }
    for (const auto& [object, mine] : lost) {
      std::string line = "lost " + object;
      for (const auto& [prop, value] : mine) line += " " + prop + "=" + value;
      outcome.insert(line);
    }
    return outcome;
  }

  Random random_;
  Random id_random_;
  UuidGenerator ids_;
  ProductionServer server_;
  ProductionClient other_, device_;
  double moves_ = 0;
  double now_ = 1'000'000;
  uint64_t serial_ = 0;
  Vector<std::string> actions_, lines_;
  std::set<std::string> deleted_, added_;  // objects, by ops of the device
};

std::string Differences(const Outcome& expected, const Outcome& found) {
  std::string text;
  for (const std::string& line : expected) {
    if (!found.contains(line)) text += "- " + line + "\n";
  }
  for (const std::string& line : found) {
    if (!expected.contains(line)) text += "+ " + line + "\n";
  }
  return text;
}

TEST_CASE("actions have the same outcome however they are grouped into updates") {
  size_t refused = 0, lost = 0;
  for (uint64_t seed = 0; seed < Rounds(150, 8); ++seed) {
    GroupingWorld world(seed);
    const uint32_t all = (1u << (world.actions() - 1)) - 1;
    const Outcome expected = world.Run(all, false);
    for (const std::string& line : expected) {
      refused += line.starts_with("inbox") ? 1 : 0;
      lost += line.starts_with("lost") ? 1 : 0;
    }
    for (uint32_t cuts = 0; cuts <= all; ++cuts) {
      for (const bool at_once : {false, true}) {
        const Outcome found = world.Run(cuts, at_once);
        if (found == expected) continue;
        FAIL("seed " << seed << ", cuts " << cuts << (at_once ? " at once" : "") << ":\n"
                     << world.Text() << Differences(expected, found));
      }
    }
  }
  // The histories are of the kind that matters.
  CHECK(refused > Rounds(30, 0));
  CHECK(lost > Rounds(10, 0));
}

}  // namespace
}  // namespace skerry::test
