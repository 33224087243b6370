// NaiveServer: a small sync server for tests, slow on purpose: rows, logs per realm with the row
// before each change, the chain per (realm, client), action ids. A real answer is reduced to a
// difference; this one sends every touched object as it is at the end of the range, which folds to
// the same state.
#ifndef SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_
#define SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::sync_test {

class NaiveServer {
 public:
  struct Row {
    std::string realm;
    Data props;
    double created = 0;
    double modified = 0;
    uint64_t revision = 0;
    friend bool operator==(const Row&, const Row&) = default;
  };
  struct Entry {
    double at = 0;
    std::string client;
    std::string id;
    bool declared = false;
    Vector<std::string> actions;
    Vector<std::string> own_keys;
    Vector<std::pair<std::string, std::optional<Row>>> before;  // key, the row in this realm before
  };

  // Answers POST /push and /pull.
  Data Push(const Data& request);
  Data Pull(const Data& request);

  // A change by another client.
  void Foreign(const std::string& key, const std::string& realm, std::string_view name);

  // Knobs.
  double time = 1'000'000;
  uint64_t entries_a_pull = 1000;    // a range may end before the head
  std::set<std::string> write_only;  // realms that the client may not read
  std::set<std::string> revoked;     // realms that the next pull revokes
  bool says_known = true;            // whether a pull's answer has `known`
  bool forks = false;                // every update is answered `forked`
  std::set<std::string> held;        // updates that are answered `held` despite the chain

  const std::map<std::string, Row>& rows() const { return rows_; }
  Vector<Entry>& log(const std::string& realm) { return logs_[realm]; }
  // How often each action is in the logs (as declared), by realm.
  std::map<std::pair<std::string, std::string>, int> ActionCounts() const;
  // The pushes: the different bodies of each update, by its id; and all epochs.
  std::map<std::string, std::set<std::string>> bodies;
  std::set<uint64_t> epochs;
  // Restores the server from an older copy of itself.
  void ForgetAfter(const std::string& realm, uint64_t revision);

 private:
  struct Chain {
    Data last;  // null, or {seq, id}
    std::map<std::string, Data> refused;
  };

  Data PushOne(const std::string& client, const Data& update);
  Data Admit(const std::string& client, const Data& update);
  Data Refuse(const std::string& client, const Data& update, Data result);
  void Apply(const Data& op);
  std::optional<Row> RowAt(const std::string& realm, const std::string& key, uint64_t revision);
  void PullRealm(const std::string& realm, const Data& request, Data* answer);
  Data Known(const Data& request, const Data& answer) const;

  std::map<std::string, Row> rows_;
  std::map<std::string, Vector<Entry>> logs_;
  std::map<std::pair<std::string, std::string>, Chain> chains_;
  std::map<std::string, Data> applied_;
  std::map<std::string, Data> actions_;  // action -> {realm: revision}
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_
