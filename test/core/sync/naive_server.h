// NaiveServer: a small sync server for tests, slow on purpose: rows, logs per realm with the row
// before each change, the chain per (realm, client), action ids. Where a real answer is reduced to
// a difference, this one says of every object that was touched how it is at the range's end, which
// folds to the same state.
#ifndef SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_
#define SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/data.h"
#include "base/string.h"
#include "base/vector.h"

namespace skerry::sync_test {

class NaiveServer {
 public:
  struct Row {
    String realm;
    Data props;
    double created = 0;
    double modified = 0;
    uint64_t revision = 0;
    friend bool operator==(const Row&, const Row&) = default;
  };
  struct Entry {
    double at = 0;
    String client;
    String id;
    bool declared = false;
    Vector<String> actions;
    Vector<String> own_keys;
    Vector<std::pair<String, std::optional<Row>>> before;  // key, the row in this realm before
  };

  // Answers POST /push and /pull.
  Data Push(const Data& request);
  Data Pull(const Data& request);

  // A change by somebody else.
  void Foreign(const String& key, const String& realm, std::string_view name);

  // Knobs.
  double time = 1'000'000;
  uint64_t entries_a_pull = 1000;  // a range may end before the head
  std::set<String> write_only;     // realms that the client may not read
  std::set<String> revoked;        // realms that the next pull revokes
  bool says_known = true;          // whether a pull is answered what was asked of actions
  bool forks = false;              // every update is answered `forked`
  std::set<String> held;           // updates that are answered `held` whatever the chain says

  const std::map<String, Row>& rows() const { return rows_; }
  Vector<Entry>& log(const String& realm) { return logs_[realm]; }
  // How often each action is in the logs (as declared), by realm.
  std::map<std::pair<String, String>, int> ActionCounts() const;
  // The pushes seen: update id -> the bodies under which it came, and the epochs.
  std::map<String, std::set<String>> bodies;
  std::set<uint64_t> epochs;
  // A server restored from an older copy of itself.
  void ForgetAfter(const String& realm, uint64_t revision);

 private:
  struct Chain {
    Data last;  // null, or {seq, id}
    std::map<String, Data> refused;
  };

  Data PushOne(const String& client, const Data& update);
  Data Admit(const String& client, const Data& update);
  Data Refuse(const String& client, const Data& update, Data result);
  void Apply(const Data& op);
  std::optional<Row> RowAt(const String& realm, const String& key, uint64_t revision);
  void PullRealm(const String& realm, const Data& request, Data* answer);
  Data Known(const Data& request, const Data& answer) const;

  std::map<String, Row> rows_;
  std::map<String, Vector<Entry>> logs_;
  std::map<std::pair<String, String>, Chain> chains_;
  std::map<String, Data> applied_;
  std::map<String, Data> actions_;  // action -> {realm: revision}
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_NAIVE_SERVER_H_
