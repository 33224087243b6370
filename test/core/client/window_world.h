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
  std::map<uint64_t, Data> mutations, updates, conflicts;
  std::map<std::string, Data> outbox;
  std::map<std::string, Vector<std::string>> images;  // generation: parts
  uint64_t last_key = 0;

  Data Read(const Data& read) const;
  Data Write(const Data& writes);  // keys of the adds

  uint64_t n() const { return sync["n"].as_u64(); }
  // A transaction of the sync worker: what it confirmed and refused, what it confirmed in one realm
  // of several (key, realm), and what it did to base. Gives the record.
  Data Work(const Vector<uint64_t>& confirmed, const Vector<uint64_t>& refused, Vector<Step> steps,
            const Vector<std::pair<uint64_t, std::string>>& partly = {});
  // The job that makes images: swings the pointer, removes what is older than the previous image.
  void Publish(const std::string& generation, const Base& base, uint64_t n);
};

enum class Outcome : uint8_t {
  kDone,
  kFailed,  // nothing was stored
  kQuota,   // likewise, for want of room
  kLost,    // stored, but the host does not know
};

struct Operation {
  int kind = 0;
  TableIndex table = 0;
  Data id, props, realm = {};
};

// The schema whose tables have their props in the opposite order.
const Data& ReorderedSchemaData();

class Window {
 public:
  Window(Storage* storage, std::string tab, bool remote = true);
  // The page is loaded anew, perhaps by a version that has the schema's props in another order.
  void Reopen(const Data& schema = SchemaData());

  Client& client() { return *client_; }
  const std::string& tab() const { return tab_; }
  bool ready() const { return client_->tab().ready(); }

  void Event(Data event);
  void Hear(const Data& message) { Event(Data::Object{{"type", "message"}, {"message", message}}); }

  // Transactions, one at a time: Run, then Tell.
  bool CanRun() const { return !queue_.empty() && !ran_; }
  bool CanTell() const { return ran_.has_value(); }
  const Data& Next() const { return queue_.front(); }
  void Run(Outcome outcome = Outcome::kDone);
  void Tell();
  // The host closed its connection: all that is outstanding is reported as failed.
  void FailAll();
  // Serves what `loadImage` asked for.
  bool CanLoad() const { return image_.has_value(); }
  void LoadImage();
  // Everything that can be done without other windows; at most a hundred steps.
  void Settle();

  // One transaction of one operation; gives the mutation's id, empty where it has no effect.
  std::string Do(int kind, TableIndex table, Data id, Data props, Data realm = {});
  std::string DoAll(Vector<Operation> operations);
  std::optional<Row> See(TableIndex table, const std::string& id);

  Vector<Data> sent;    // broadcasts, in order; tests take them
  Vector<Data> posted;  // to its own Worker
  Vector<Data> notes;   // effects of other kinds
  Data state;           // the last effect of that kind
  std::set<std::string> timers;
  std::map<std::string, std::map<std::string, std::string>> settled;  // id, stage: code, or "ok"
  // What the last transaction that ran has read, and the mutations that it added.
  Data results;
  Vector<std::pair<std::string, uint64_t>> added;
  double now = 1'000'000;
  bool problems = false;  // expected: the test looks at them
  bool keeps = true;      // the connection is still open when the page is frozen

 private:
  struct Ran {
    uint64_t id = 0;
    Outcome outcome = Outcome::kDone;
    Data keys;
  };
  void Obey(const Data& effects);
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
