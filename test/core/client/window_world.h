// A world of windows over one fake IndexedDB, for the tests of Tab. Transactions run and complete
// when a test says so; messages wait in a list. It does everything that a host does
// (docs/window.md), and makes no decision of the core.
#ifndef SKERRY_TEST_CORE_CLIENT_WINDOW_WORLD_H_
#define SKERRY_TEST_CORE_CLIENT_WINDOW_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "client/client.h"
#include "log/record.h"
#include "test/core/client/client_fixture.h"

namespace skerry::client_test {

class Storage {
 public:
  Data sync;  // null: nothing was ever written
  std::map<uint64_t, Data> mutations, updates, conflicts, own;
  std::map<std::string, Data> outbox, actions, streams;
  std::map<std::string, Vector<std::string>> images;  // generation: parts
  uint64_t last_key = 0;
  mutable size_t read_rows = 0;  // of the store `actions`

  Data Read(const Data& read) const;
  std::map<std::string, Data>* StreamStore(const std::string& name);
  Data Write(const Data& writes);  // keys of the adds

  uint64_t n() const { return sync["n"].as_u64(); }
  // A transaction of the sync worker: the mutations that it confirmed, refused, and confirmed in
  // one of several realms (key, realm), and its steps on base. Returns the record.
  Data Work(const Vector<uint64_t>& confirmed, const Vector<uint64_t>& refused, Vector<Step> steps,
            const Vector<std::pair<uint64_t, std::string>>& partly = {});
  // The image job: publishes an image, removes records and images older than the previous image.
  void Publish(const std::string& generation, const Base& base, uint64_t n);
};

enum class Outcome : uint8_t {
  kDone,
  kFailed,  // nothing was stored
  kQuota,   // nothing was stored: no room
  kLost,    // stored, but the host does not know
};

struct Operation {
  int kind = 0;
  TableIndex table = 0;
  Data id, props, realm = {};
};

// The schema with the props of each table in reverse order.
const Data& ReorderedSchemaData();

class Window {
 public:
  Window(Storage* storage, std::string tab, bool remote = true);
  // Reloads the page, perhaps in a version that has the schema's props in another order.
  void Reopen(const Data& schema = SchemaData());

  Client& client() { return *client_; }
  const std::string& tab() const { return tab_; }
  bool ready() const { return client_->tab().ready(); }

  void Event(Data event);
  void Hear(const Data& message) { Event(Data::Object{{"type", "message"}, {"message", message}}); }

  // Transactions, one at a time: Run, then Notify.
  bool CanRun() const { return !queue_.empty() && !ran_; }
  bool CanNotify() const { return ran_.has_value(); }
  const Data& Next() const { return queue_.front(); }
  void Run(Outcome outcome = Outcome::kDone);
  void Notify();
  // The host closes its connection: all outstanding transactions are reported as failed.
  void FailAll();
  // Serves the effect `loadImage`.
  bool CanLoad() const { return image_.has_value(); }
  void LoadImage();
  // Runs the next step that needs no other window. Returns false if there is none.
  bool Step();
  // Runs all of them; at most a hundred.
  void Settle();

  // One transaction of one operation. Returns the mutation's id; empty: it has no effect.
  std::string Do(int kind, TableIndex table, Data id, Data props, Data realm = {});
  std::string DoAll(Vector<Operation> operations);
  // In place of an entry of the inbox.
  std::string Amend(uint64_t entry, Vector<Operation> operations);
  void Obeyed(const Data& effects) { Obey(effects); }  // of a call of the core itself
  std::optional<Row> See(TableIndex table, const std::string& id);

  Vector<Data> sent;    // broadcasts, in order; tests take them
  Vector<Data> posted;  // to its own Worker
  Vector<Data> notes;   // effects of other kinds
  Data state;           // the last effect of that kind
  std::set<std::string> timers;
  std::map<std::string, std::map<std::string, std::string>> settled;  // id, stage: code, or "ok"
  // The results of the last transaction's reads, and the mutations that it added.
  Data results;
  Vector<std::pair<std::string, uint64_t>> added;
  double now = 1'000'000;
  bool problems = false;  // whether the test expects problems
  bool keeps = true;      // the connection is still open when the page is frozen

 private:
  struct Ran {
    uint64_t id = 0;
    Outcome outcome = Outcome::kDone;
    Data keys;
  };
  void Obey(const Data& effects);
  std::string Commit(Vector<Operation> operations, const Data& action);
  Data Encoded(const Data& data) const;

  Storage* storage_;
  std::string tab_;
  bool remote_;
  uint64_t incarnation_ = 0;
  std::unique_ptr<Client> client_;
  std::deque<Data> queue_;
  std::optional<Ran> ran_;
  std::optional<Data> image_;
};

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_WINDOW_WORLD_H_
