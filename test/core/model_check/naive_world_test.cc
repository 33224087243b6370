// Goal: the naive model keeps what docs/design.md, "Invariants", promises, so that it is worth
// comparing with; and its checks notice when any one of the marked rules is disabled. Method:
// random histories of two or three naive clients and a naive server, with lost, late and repeated
// messages, profiles restored from older copies, two or three realms, and moves between them.
// After every delivered message, base of every realm equals the server's rows in scope at the
// client's cursor. Then everything heals.
#include <algorithm>

#include "base/vector.h"
#include "doctest/doctest.h"
#include "test/core/model_check/check_schema.h"

namespace skerry::test {
namespace {

using naive::Break;
using naive::Breaks;

struct NaiveMessage {
  enum Kind { kPush, kAnswer, kAsk, kPull } kind = kPush;
  size_t client = 0;
  int generation = 0;
  Vector<naive::Update> updates;
  std::string update;
  naive::Result result;
  naive::Answer answer;
  std::string id;
  naive::Cursors cursors, limit;
  naive::Names have;
  std::string filled;
  bool whole = false;
  bool has_changes = true;
};

class NaiveWorld {
 public:
  NaiveWorld(uint64_t seed, Breaks broken, bool clones)
      : random_("naive world " + std::to_string(seed)),
        broken_(std::move(broken)),
        realms_(random_.Below(2) == 0 ? CheckRealms() : ThreeRealms()),
        server_(CheckTables(), realms_, broken_) {
    loss_ = random_.Unit() * .3;
    late_ = random_.Unit() * .5;
    clones_ = clones && random_.Unit() < .4;
    moves_ = random_.Below(3) * .1;
    small_answers_ = random_.Below(3) * .2;
    for (uint64_t i = 0, count = 2 + random_.Below(2); i < count; ++i) {
      const CheckScopes& scopes = ScopeChoices()[random_.Below(ScopeChoices().size())];
      const auto scope = [&scopes](const naive::Key& key, const naive::Row& row) {
        return std::any_of(scopes.begin(), scopes.end(),
                           [&](const CheckScope& one) { return one.holds(key, row); });
      };
      clients_.emplace_back("c" + std::to_string(i), realms_, scope, broken_);
    }
    naive::Update first{"u0", "sys", {{"A", {}}}, {"a0"}, {}};
    first.ops.push_back(
        {"create", "items/total@A", "A", "", {{"x", Data(0)}, {"n", Data(0)}}, {}, {"a0"}});
    server_.Push(first, true, ++now_);
  }

  // What is wrong; empty: nothing.
  std::string Run() {
    for (int step = 0; step < 170 && problem_.empty(); ++step) Step();
    for (int round = 0; round < 400 && problem_.empty() && !IsQuiet(); ++round) Heal();
    if (problem_.empty()) CheckEnd();
    return problem_;
  }
  size_t entries() const {
    size_t entries = 0;
    for (const std::string& realm : realms_) entries += server_.head(realm);
    return entries;
  }

 private:
  void Step() {
    const size_t i = random_.Below(clients_.size());
    naive::Client& client = clients_[i];
    const double dice = random_.Unit();
    if (dice < .3) {
      Vector<naive::Op> ops;
      for (uint64_t n = 1 + random_.Below(2); n > 0; --n)
        ops.push_back(AnyOp(client.Visible(), realms_, moves_, &random_, &serial_));
      made_.insert(client.Mutate(std::move(ops), &serial_));
    } else if (dice < .45) {
      client.Group(1 + random_.Below(4), &serial_);
    } else if (dice < .6) {
      Send(i, loss_);
    } else if (dice < .7) {
      const auto limit = [&] { return Vector<uint64_t>{0, 1, 2, 100}[random_.Below(4)]; };
      naive::Cursors limits;
      for (const std::string& realm : realms_) limits[realm] = limit();
      Ask(i, std::move(limits));
    } else if (dice < .72 && clones_) {
      saved_.insert_or_assign(i, client);
    } else if (dice < .73 && saved_.contains(i)) {
      Restore(i);
    } else if (!net_.empty()) {
      const size_t which = random_.Below(net_.size());
      NaiveMessage message = net_[which];
      // A copy may come again, later.
      if (random_.Unit() >= late_) net_.erase(net_.begin() + static_cast<ptrdiff_t>(which));
      Deliver(message, false);
      CheckBases();
    }
  }

  // Restores a profile from an older copy of itself. Mutations that the copy never had may be lost
  // with the disk.
  void Restore(size_t i) {
    naive::Client old = saved_.at(i);
    naive::Names kept = old.inbox;
    for (const auto& mutation : old.mutations) kept.insert(mutation.action);
    for (const auto& mutation : clients_[i].mutations) {
      if (!kept.contains(mutation.action)) maybe_lost_.insert(mutation.action);
    }
    for (const std::string& action : clients_[i].inbox) {
      if (!kept.contains(action)) maybe_lost_.insert(action);
    }
    old.generation = clients_[i].generation + 1;
    clients_[i] = std::move(old);
    restored_ = true;
  }

  void Send(size_t i, double loss) {
    NaiveMessage message;
    message.kind = NaiveMessage::kPush;
    message.client = i;
    message.updates = clients_[i].ToSend();
    if (!message.updates.empty() && random_.Unit() >= loss) net_.push_back(std::move(message));
  }

  void Ask(size_t i, naive::Cursors limit) {
    const naive::Client& client = clients_[i];
    NaiveMessage message;
    message.kind = NaiveMessage::kAsk;
    message.client = i;
    message.generation = client.generation;
    message.id = client.id;
    message.cursors = client.cursors;
    message.have = client.Have();
    message.limit = std::move(limit);
    message.filled = client.filled;
    message.whole = client.whole;
    message.has_changes = heals_ || random_.Unit() >= small_answers_;
    net_.push_back(std::move(message));
  }

  void Deliver(const NaiveMessage& message, bool quiet) {
    naive::Client& client = clients_[message.client];
    switch (message.kind) {
      case NaiveMessage::kPush:
        for (const naive::Update& update : message.updates) {
          NaiveMessage answer;
          answer.kind = NaiveMessage::kAnswer;
          answer.client = message.client;
          answer.update = update.id;
          answer.result = server_.Push(update, &update == &message.updates[0], ++now_);
          if (quiet || random_.Unit() >= loss_) net_.push_back(std::move(answer));
        }
        return;
      case NaiveMessage::kAnswer:
        client.Answered(message.update, message.result, server_, &serial_);
        return;
      case NaiveMessage::kAsk: {
        NaiveMessage pull;
        pull.kind = NaiveMessage::kPull;
        pull.client = message.client;
        pull.generation = message.generation;
        pull.answer =
            server_.Pull(message.id, message.cursors, message.have, client.scope, message.limit,
                         message.filled, message.whole, message.has_changes);
        net_.push_back(std::move(pull));
        return;
      }
      case NaiveMessage::kPull:
        if (message.generation == client.generation) client.Pulled(message.answer);
        return;
    }
  }

  void Heal() {
    heals_ = true;
    while (!net_.empty()) {
      const NaiveMessage message = net_.front();
      net_.erase(net_.begin());
      Deliver(message, true);
    }
    CheckBases();
    for (size_t i = 0; i < clients_.size(); ++i) {
      clients_[i].Group(9, &serial_);
      Send(i, 0);
      Ask(i, {});
    }
  }

  bool IsQuiet() const {
    return std::all_of(clients_.begin(), clients_.end(), [&](const naive::Client& client) {
      return client.mutations.empty() && client.outbox.empty() && client.whole &&
             std::all_of(realms_.begin(), realms_.end(), [&](const std::string& realm) {
               return client.cursors.at(realm) == server_.head(realm);
             });
    });
  }

  // At all times, base is exactly the server's rows in scope at the client's cursors, as far as it
  // is filled.
  void CheckBases() {
    for (const naive::Client& client : clients_) {
      for (const auto& [realm, rows] : client.base) {
        naive::Rows expected;
        for (const auto& [key, row] : server_.StateAt(realm, client.cursors.at(realm))) {
          if (client.scope(key, row) && (client.whole || key <= client.filled)) expected[key] = row;
        }
        naive::Rows held = rows;
        erase_if(held,
                 [&](const auto& item) { return !client.whole && item.first > client.filled; });
        if (held != expected) problem_ = "base differs: " + client.name + " " + realm;
      }
    }
  }

  void CheckEnd() {
    naive::Names inboxes;
    for (const naive::Client& client : clients_) {
      if (!client.mutations.empty() || !client.outbox.empty())
        problem_ = "not quiet: " + client.name;
      inboxes.insert(client.inbox.begin(), client.inbox.end());
    }
    for (const std::string& action : made_) {
      if (!server_.HasAction(action) && !inboxes.contains(action) && !maybe_lost_.contains(action))
        problem_ = "lost: " + action;
    }
    for (const std::string& realm : realms_) {
      Vector<std::string> seen;
      for (const naive::Entry& entry : server_.log(realm))
        seen.insert(seen.end(), entry.actions.begin(), entry.actions.end());
      if (naive::Names(seen.begin(), seen.end()).size() != seen.size())
        problem_ = "doubled in " + realm;
      for (const naive::Client& client : clients_) {
        Vector<uint64_t> keys;
        for (const std::string& action : seen) {
          if (client.keys.contains(action)) keys.push_back(client.keys.at(action));
        }
        if (!restored_ && !std::is_sorted(keys.begin(), keys.end()))
          problem_ = "order: " + client.name;
      }
    }
  }

  Random random_;
  Breaks broken_;
  naive::Names realms_;
  naive::Server server_;
  Vector<naive::Client> clients_;
  std::map<size_t, naive::Client> saved_;
  Vector<NaiveMessage> net_;
  naive::Names made_, maybe_lost_;
  std::string problem_;
  uint64_t serial_ = 0;
  double now_ = 0;
  double loss_ = 0, late_ = 0, moves_ = 0, small_answers_ = 0;
  bool heals_ = false;
  bool clones_ = false, restored_ = false;
};

TEST_CASE("holds the naive model on random histories") {
  size_t entries = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    NaiveWorld world(seed, {}, true);
    const std::string problem = world.Run();
    CHECK_MESSAGE(problem.empty(), "seed ", seed, ": ", problem);
    if (!problem.empty()) return;
    entries += world.entries();
  }
  CHECK(entries > 3000);
}

bool IsNoticed(Breaks broken, bool clones) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    NaiveWorld world(seed, broken, clones);
    if (!world.Run().empty()) return true;
  }
  return false;
}

TEST_CASE("notices every rule of the naive model that is disabled") {
  CHECK(IsNoticed({Break::kConfirmOnAnswer}, true));
  CHECK(IsNoticed({Break::kReduceAllOwn}, true));
  CHECK(IsNoticed({Break::kFoldAllOwn}, true));
  CHECK(IsNoticed({Break::kNoOwnInBase}, true));
  CHECK(IsNoticed({Break::kRowsAtHead}, true));
  CHECK(IsNoticed({Break::kNoActionIds}, true));
  CHECK(IsNoticed({Break::kPageAddsOnly}, true));
  CHECK(IsNoticed({Break::kOneBaseForAll}, true));
  CHECK(IsNoticed({Break::kRefillForgotten}, true));
  // Unique action ids also catch these two mistakes, so that rule is disabled, too. Only it catches
  // live copies of a profile.
  CHECK(IsNoticed({Break::kSeqWithoutId, Break::kNoActionIds}, false));
  CHECK(IsNoticed({Break::kForgetRefusals, Break::kNoActionIds}, false));
}

}  // namespace
}  // namespace skerry::test
