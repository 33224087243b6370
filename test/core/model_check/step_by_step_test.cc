// Goal: the authority (src/authority), the sync worker's rules (src/sync) and the folding of
// records (src/log) agree with the naive model, step by step. Method: random histories of two or
// three clients, with lost, late and repeated messages, clients restored from older copies of
// themselves, two or three realms (the first client may write the third; each of the others may
// write it, only read it, or not know it), moves, several scopes that come and go and are filled
// in pages, refs of every kind, and a uniqueness rule. Every pushed update goes to both servers:
// same status, same noops, same rows, times and revisions. After every pull the client's base is
// exactly the naive server's rows in scope at its cursors, realm by realm. Then everything heals:
// nothing is lost, doubled or out of order, and all clients have the same rows (docs/trust.md, 1
// to 4). A failure names its seed, on which alone a history depends.
#include <algorithm>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "sync/records.h"
#include "test/core/model_check/production_client.h"
#include "test/core/model_check/production_server.h"
#include "test/core/rounds.h"

namespace skerry::test {
namespace {

struct Message {
  enum Kind { kPush, kAnswer, kAsk, kPull } kind = kPush;
  size_t client = 0;
  int generation = 0;
  ProductionClient::Sent sent;
  Data results;
  std::optional<PullRequest> request;
  std::optional<PullAnswer> answer;
  bool has_own = true;
};

class StepWorld {
 public:
  explicit StepWorld(uint64_t seed)
      : random_("steps " + std::to_string(seed)),
        id_random_("ids " + std::to_string(seed)),
        ids_(&id_random_),
        realms_(random_.Below(3) == 0 ? CheckRealms() : ThreeRealms()),
        naive_(CheckTables(), realms_),
        server_(&CheckSchema(), realms_) {
    loss_ = random_.Unit() * .3;
    late_ = random_.Unit() * .5;
    clones_ = random_.Unit() < .4;
    scopes_change_ = random_.Unit() < .3;
    moves_ = random_.Below(3) * .1;
    if (realms_.size() > 2) moves_ = .1 + random_.Below(2) * .1;
    page_rows_ = 1 + random_.Below(3);
    small_answers_ = Vector<double>{0, .2, .6}[random_.Below(3)];
    for (uint64_t i = 0, count = 2 + random_.Below(2); i < count; ++i) {
      const CheckScopes& scopes = ScopeChoices()[random_.Below(ScopeChoices().size())];
      clients_.emplace_back(&CheckSchema(), ids_.Next(1), scopes);
      using naive::May;
      // The first client may write, so that the other clients meet its rows.
      const May right = Vector<May>{May::kWrite, May::kRead, May::kNothing}[random_.Below(3)];
      rights_.push_back({{"C", i == 0 ? May::kWrite : right}});
    }
    Begin();
  }

  // What is wrong; empty: nothing.
  std::string Run(int steps) {
    for (int step = 0; step < steps && problem_.empty(); ++step) Step();
    for (int round = 0; round < 300 && problem_.empty() && !IsQuiet(); ++round) Heal();
    if (problem_.empty()) CheckEnd();
    return problem_;
  }
  size_t entries() const {
    size_t entries = 0;
    for (const std::string& realm : realms_) entries += naive_.head(realm);
    return entries;
  }
  size_t refusals() const { return refusals_; }
  size_t forks() const { return forks_; }
  size_t refills() const { return refills_; }

 private:
  void Begin() {
    const Data update =
        ParseJson(
            R"({"id":"01890000-0000-7000-8000-00000000aaaa","after":{"A":null},"base":{},"at":1,
      "actions":[{"id":"01890000-0000-7000-8000-00000000bbbb","name":"begin","arg":null,"at":1}],
      "ops":[{"op":"create","table":"items","id":"total","realm":"A","set":{"x":0,"n":0}}]})")
            .value();
    Push("01890000-0000-7000-8000-00000000cccc", {update}, {});
  }

  void Step() {
    const size_t i = random_.Below(clients_.size());
    ProductionClient& client = clients_[i];
    const double dice = random_.Unit();
    if (dice < .3) {
      Vector<naive::Op> ops;
      for (uint64_t n = 1 + random_.Below(2); n > 0; --n)
        ops.push_back(AnyOp(client.Visible(), realms_, moves_, &random_, &serial_));
      made_.insert(client.Mutate(ops, ++now_, &ids_));
    } else if (dice < .45) {
      client.Group(1 + random_.Below(4), ++now_, &ids_);
    } else if (dice < .6) {
      Send(i, loss_);
    } else if (dice < .7) {
      Ask(i, Vector<uint64_t>{1, 2, 100}[random_.Below(3)]);
    } else if (dice < .72 && clones_) {
      saved_.insert_or_assign(i, client);
    } else if (dice < .73 && saved_.contains(i)) {
      Restore(i);
    } else if (dice < .74 && scopes_change_) {
      client.ToggleScope(random_.Below(client.scopes().size()));
      CheckBase(i);
    } else if (!net_.empty()) {
      const size_t which = random_.Below(net_.size());
      const Message message = net_[which];
      // A copy may come again, later.
      if (random_.Unit() >= late_) net_.erase(net_.begin() + static_cast<ptrdiff_t>(which));
      Deliver(message, false);
    }
  }

  // Mutations that the older copy never had may be lost with the disk.
  void Restore(size_t i) {
    ProductionClient old = saved_.at(i);
    naive::Names kept = old.PendingActions();
    kept.merge(old.InboxActions());
    naive::Names held = clients_[i].PendingActions();
    held.merge(clients_[i].InboxActions());
    for (const std::string& action : held) {
      if (!kept.contains(action)) maybe_lost_.insert(action);
    }
    old.generation = clients_[i].generation + 1;
    clients_[i] = std::move(old);
    restored_ = true;
  }

  void Send(size_t i, double loss) {
    Message message;
    message.kind = Message::kPush;
    message.client = i;
    message.sent = clients_[i].Send();
    if (!message.sent.ids.empty() && random_.Unit() >= loss) net_.push_back(std::move(message));
  }

  void Ask(size_t i, uint64_t limit) {
    Message message;
    message.kind = Message::kAsk;
    message.client = i;
    message.generation = clients_[i].generation;
    message.request = clients_[i].Ask(limit);
    net_.push_back(std::move(message));
  }

  void Deliver(const Message& message, bool quiet) {
    ProductionClient& client = clients_[message.client];
    Message reply = message;
    switch (message.kind) {
      case Message::kPush:
        reply.kind = Message::kAnswer;
        reply.results = Push(message.sent.client, message.sent.updates, rights_[message.client]);
        if (quiet || random_.Unit() >= loss_) net_.push_back(std::move(reply));
        return;
      case Message::kAnswer:
        client.Answered(message.sent.ids, message.results, ++now_, &ids_);
        return;
      case Message::kAsk:
        reply.kind = Message::kPull;
        reply.answer = Pull(*message.request, rights_[message.client], &reply.has_own);
        net_.push_back(std::move(reply));
        return;
      case Message::kPull:
        // A restored window does not get the answers to its former requests.
        if (message.generation != client.generation) return;
        if (client.Pulled(*message.request, *message.answer, ++now_)) {
          const std::string problem =
              OwnProblem(client.replica(), naive_, *message.request, *message.answer);
          if (!problem.empty() && message.has_own) Fail(problem);
        }
        CheckBase(message.client);
        return;
    }
  }

  // ---- both servers ----

  Data Push(const std::string& client, const Vector<Data>& updates, const naive::Rights& rights) {
    ++now_;
    const Data::Array results = server_.Push(client, updates, now_, rights);
    for (size_t i = 0; i < updates.size(); ++i) {
      const naive::Result expected =
          naive_.Push(naive::UpdateOf(client, updates[i]), i == 0, now_, rights);
      Compare(updates[i], results[i], expected);
    }
    CompareRows();
    return Data(results);
  }

  void Compare(const Data& update, const Data& result, const naive::Result& expected) {
    refusals_ += expected.status == "rejected" ? 1 : 0;
    forks_ += expected.status == "forked" ? 1 : 0;
    naive::Names known;
    for (const auto& [action, revision] : result["known"].members()) known.insert(action);
    const auto indexes = [&](const char* member) {
      Vector<uint32_t> ops;
      for (const Data& op : result[member].items())
        ops.push_back(static_cast<uint32_t>(op.as_u64()));
      return ops;
    };
    const bool same_noops =
        expected.status != "applied" ||
        (indexes("noops") == expected.noops && indexes("missing") == expected.missing);
    const bool names_why =
        expected.status != "rejected" || !result["rejected"].items().empty() || !known.empty();
    if (result["status"].as_string() == expected.status && known == expected.known && same_noops &&
        names_why)
      return;
    Fail("the servers disagree, the naive one says " + expected.status + ": " + WriteJson(result) +
         " on " + WriteJson(update));
  }

  void CompareRows() {
    std::map<std::string, naive::Rows> rows;
    for (const auto& [key, stored] : server_.database().rows()) {
      const ObjectKey& object = key.object;
      if (!stored.deleted_at)
        rows[key.realm][KeyOf(object, key.realm)] = NaiveRowOf(object, stored.row);
    }
    for (const auto& [realm, head] : server_.database().heads()) {
      if (head.head != naive_.head(realm)) Fail("the heads of " + realm + " differ");
      for (const auto& [key, row] : rows[realm]) {
        const auto other = naive_.rows(realm).find(key);
        if (other == naive_.rows(realm).end() || other->second != row)
          Fail("the servers' rows of " + realm + " differ at " + key);
      }
      for (const auto& [key, row] : naive_.rows(realm)) {
        if (!rows[realm].contains(key)) Fail("the server has lost " + key + " in " + realm);
      }
    }
  }

  // Some answers have less room, until the history is to come to rest.
  PullAnswer Pull(const PullRequest& request, const naive::Rights& rights, bool* has_own) {
    using Reads = ProductionServer::Reads;
    const Data body = ParseJson(request.body).value();
    Reads reads = Reads::kAll;
    if (!heals_ && random_.Unit() < small_answers_)
      reads = Vector<Reads>{Reads::kOneEntry, Reads::kNoChanges, Reads::kNoOps}[random_.Below(3)];
    *has_own = reads != Reads::kNoOps;
    PullAnswer answer = server_.Pull(body, reads, page_rows_, ++now_, rights);
    refills_ += answer.refill.has_value() && !answer.refill->empty() ? 1 : 0;
    naive::Cursors from, ends;
    for (const auto& [realm, cursor] : answer.cursors) {
      from[realm] = CursorRevision(request.cursors, realm);
      ends[realm] = CursorRevision(cursor);
    }
    naive::Own own;
    for (const auto& [update, entries] : answer.own) {
      for (const auto& [realm, entry] : entries) own[update][realm] = {entry.revision, entry.at};
    }
    const naive::Names have(request.have.begin(), request.have.end());
    if (own != naive_.OwnOf(body["client"].as_string(), have, from, ends))
      Fail("`own` differs in the answer to " + request.body);
    if (!answer.reset.empty()) Fail("a cursor of this history was refused");
    return answer;
  }

  // ---- checks ----

  void Fail(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
  }

  void CheckBase(size_t i) {
    const std::string problem = BaseProblem(clients_[i].replica(), naive_);
    if (!problem.empty()) Fail("client " + std::to_string(i) + ": " + problem);
  }

  void Heal() {
    heals_ = true;
    while (!net_.empty() && problem_.empty()) {
      const Message message = net_.front();
      net_.erase(net_.begin());
      Deliver(message, true);
    }
    for (size_t i = 0; i < clients_.size(); ++i) {
      clients_[i].Group(100, ++now_, &ids_);
      Send(i, 0);
      Ask(i, 100);
    }
  }

  bool IsQuiet() const {
    for (size_t i = 0; i < clients_.size(); ++i) {
      const ProductionClient& client = clients_[i];
      for (const std::string& realm : realms_) {
        if (naive::RightIn(rights_[i], realm) == naive::May::kNothing) continue;
        if (CursorRevision(client.sync()["cursors"][realm].as_string()) != naive_.head(realm))
          return false;
      }
      for (const Data& scope : client.sync()["scopes"].items()) {
        if (!scope["filled"].as_bool()) return false;
      }
      if (!client.IsIdle()) return false;
    }
    return true;
  }

  void CheckEnd() {
    if (!IsQuiet()) Fail("not quiet");
    naive::Names inboxes;
    for (size_t i = 0; i < clients_.size(); ++i) {
      CheckBase(i);
      inboxes.merge(clients_[i].InboxActions());
    }
    for (const std::string& action : made_) {
      if (!naive_.HasAction(action) && !inboxes.contains(action) && !maybe_lost_.contains(action))
        Fail("lost: " + action);
    }
    for (const std::string& realm : realms_) {
      Vector<std::string> seen;
      for (const naive::Entry& entry : naive_.log(realm))
        seen.insert(seen.end(), entry.actions.begin(), entry.actions.end());
      if (naive::Names(seen.begin(), seen.end()).size() != seen.size()) Fail("doubled in " + realm);
      for (const ProductionClient& client : clients_) {
        Vector<uint64_t> keys;
        for (const std::string& action : seen) {
          if (const uint64_t key = client.KeyOfAction(action)) keys.push_back(key);
        }
        if (!restored_ && !std::is_sorted(keys.begin(), keys.end()))
          Fail("not in the order of keys in " + realm);
      }
    }
  }

  Random random_, id_random_;
  UuidGenerator ids_;
  naive::Names realms_;
  naive::Server naive_;
  ProductionServer server_;
  Vector<ProductionClient> clients_;
  Vector<naive::Rights> rights_;  // of each client
  std::map<size_t, ProductionClient> saved_;
  Vector<Message> net_;
  naive::Names made_, maybe_lost_;
  std::string problem_;
  uint64_t serial_ = 0;
  double now_ = 1'000'000;
  double loss_ = 0, late_ = 0, moves_ = 0;
  size_t page_rows_ = 1, refusals_ = 0, forks_ = 0, refills_ = 0;
  double small_answers_ = 0;
  bool heals_ = false;
  bool clones_ = false, restored_ = false, scopes_change_ = false;
};

TEST_CASE("agrees with the naive model step by step, in authority and sync") {
  const uint64_t seeds = Rounds(120, 30);
  size_t entries = 0, refusals = 0, forks = 0, refills = 0;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    StepWorld world(seed);
    const std::string problem = world.Run(170);
    CHECK_MESSAGE(problem.empty(), "seed ", seed, ": ", problem);
    if (!problem.empty()) return;
    entries += world.entries();
    refusals += world.refusals();
    forks += world.forks();
    refills += world.refills();
  }
  // The histories reach the cases for which they are made.
  CHECK(entries > 10 * seeds);
  CHECK(refusals > seeds);
  CHECK(forks > seeds / 20);
  CHECK(refills > seeds / 3);
}

}  // namespace
}  // namespace skerry::test
