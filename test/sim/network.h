// Network: the messages between workers and the nodes of the server, and the nodes. Every possible
// next event is one step: a request arrives, a node commits, an answer arrives. Faults are armed
// one by one; each affects the next request that it fits.
#ifndef SKERRY_TEST_SIM_NETWORK_H_
#define SKERRY_TEST_SIM_NETWORK_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/model_check/naive_model.h"
#include "test/sim/database.h"
#include "test/sim/event.h"
#include "test/sim/pokes.h"
#include "test/sim/releases.h"
#include "test/sim/server_images.h"

namespace skerry::sim {

class World;
class WindowHost;
class WorkerHost;
struct Profile;

Data Ok(uint64_t id, std::string body);
Data NoResponse(uint64_t id, std::string_view name);

class Network {
 public:
  // `large_rows`: the number of rows that every realm pretends to have, so that the server offers
  // images. Empty: no images.
  Network(World* world, const PullLimits& answers, size_t nodes,
          std::optional<uint64_t> large_rows);

  void Send(WorkerHost& worker, const Data& effect);
  void SendOffer(WindowHost& window, const Data& effect);
  void Abort(uint64_t worker, uint64_t id);
  void Forget(uint64_t worker);
  void Disconnect(size_t profile);  // offline: all its messages fail

  void Arm(const Event& event) { armed_.push_back(event); }
  void Disarm() { armed_.clear(); }
  void RestartNode(uint64_t which);
  // Replaces a node by a new one with this release.
  void Deploy(uint64_t which, Release release);
  // The application's grants to the user change.
  void Grant(const std::string& user, const std::string& realm, test::naive::May right);
  // What requests of this profile grant its user.
  Caller CallerOf(const Profile& profile) const;
  bool IsServed(Release release) const;  // whether all nodes serve clients of this release
  void EndDeployment();  // every node has restarted, and serves the newest schema too
  void BackUp();         // copies the database
  void Restore();        // from the copy, if there is one
  void ForgetLog(uint32_t which, uint32_t how);
  // Another program writes some rows, and a node follows up what it has written.
  void WriteForeign(uint32_t which, uint32_t how);
  void MakeSnapshot(uint32_t which, uint32_t how);
  void SetApart(uint32_t which, uint32_t how);
  void Reorder();
  void Heal();  // no message is late any more, except copies that have arrived already

  // Steps that can be taken now: 0 .. steps() - 1.
  size_t steps() const;
  void Step(size_t which);
  double next_time() const;  // when the next late message arrives
  bool quiet() const { return wire_.empty() && !open_ && pokes_.steps() == 0; }

  // A realm's image: its bytes, or an error as js/worker/image-jobs.ts reports it.
  Data FetchImage(WorkerHost& worker, const Data& fetch);

  // Tokens are numbers: only the present one is accepted, older ones have expired. Null: the run
  // has no tokens.
  bool Accepts(const Data& token) const {
    return token.is_null() || token.as_string() == std::to_string(token_);
  }
  Data token() const { return token_; }
  void ExpireTokens() { ++token_; }

  Pokes& pokes() { return pokes_; }

  // Puts an update into the log from outside.
  void Seed(const std::string& client, const Data& update);

  // The answer to a pull if it arrived now.
  std::string Peek(const Profile& profile, const Data& request) const;

  const Database& database() const { return database_; }
  uint64_t requests() const { return requests_; }

 private:
  struct Message {
    uint64_t worker = 0;  // serial; 0: no worker waits for the answer
    uint64_t window = 0;  // serial, of an offer; 0: no window waits for the answer
    bool is_offer = false;
    size_t profile = 0;
    std::optional<Caller> author;  // empty: the profile's user
    uint64_t id = 0;
    bool is_push = false;
    std::string path;  // of a snapshot's state; empty: it is a push or a pull
    Data body;
    Data token;
    std::map<std::string, uint64_t> heads;  // in any answer before this was sent; for checks
    double ready_at = 0;
    double deadline = 0;
    bool is_late_copy = false;
    bool is_from_lost_history = false;  // an answer about commits that the server has lost since
    std::optional<Data> answer;         // empty: it is a request
  };
  struct Transaction {
    Database::Admitted admitted;
    Vector<Message> requests;
    Vector<Caller> authors;  // of the requests
    Data refused;            // what is refused before the rules are asked
    size_t node = 0;
    bool answers_lost = false;
    const Schema* served = nullptr;
  };
  struct Node {
    Release release = Release::kOnly;
    bool outdated = false;  // a newer schema was deployed: it will restart, to serve that as well
  };

  ServerImages* images() const { return has_images_ ? &images_ : nullptr; }
  const Schema& ServedBy(const Node& node) const;
  bool Takes(const Node& node, const Message& message) const;
  void Start(const Node& node);
  bool IsReady(const Message& message) const;
  void Arrive(Message message);
  void GiveState(Message message);
  bool ApplyFault(
      Message* message);  // applies an armed fault; true: the fault has handled the request
  void Begin(Message first, bool answers_lost, bool dies);
  void Commit();
  void RollBack(bool answered);
  void Reply(Message message, Data answer);
  void Deliver(const Message& message);
  void CountReset(const Message& pull);
  void TakeBack(Message message);
  void DeliverOffers(const Message& message);
  void TimeOut(Message message);
  struct Copy {
    Database database;
    test::naive::Server naive;
  };

  Caller CallerOf(const Message& message) const;
  std::map<std::string, test::naive::Names> Readers() const;

  std::optional<Event> TakeArmed(std::initializer_list<Kind> kinds);

  World* world_;
  Database database_;
  Pokes pokes_;
  mutable ServerImages images_;
  bool has_images_;
  uint64_t token_ = 1;
  uint64_t versions_ = 0;                             // of users' rights
  std::map<std::string, test::naive::Rights> given_;  // by user
  PullLimits answers_;
  Vector<Node> nodes_;
  mutable size_t node_ = 0;  // the node that answers now
  Vector<Message> wire_;
  std::deque<Event> armed_;
  std::optional<Transaction> open_;
  std::optional<Copy> copy_;
  uint64_t requests_ = 0;
  double clock_ = 0;                             // the database's, in whole ms
  uint64_t foreign_serial_ = uint64_t{1} << 40;  // of rows that other programs make
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_NETWORK_H_
