// Pokes: the sockets on which the server sends hints that a realm's log has grown. A hint may be
// lost, come late, or find no receiver, and a socket may close at any time. Sockets carry only
// hints.
#ifndef SKERRY_TEST_SIM_POKES_H_
#define SKERRY_TEST_SIM_POKES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::sim {

class World;
class WorkerHost;

class Pokes {
 public:
  explicit Pokes(World* world) : world_(world) {}

  void Socket(WorkerHost* worker, const Data& effect);  // open, send or close
  void Forget(uint64_t worker);                         // the worker has ended
  void Disconnect(std::optional<size_t> profile);       // none: all
  void CloseOne(uint32_t which);
  void SilenceOne(uint32_t which);  // it stays so, whatever is healed
  // `moved`: the realms with new entries, and their heads. The authors themselves are not poked,
  // nor those who may not read the realm (`readers`: by user).
  void Committed(const std::map<std::string, uint64_t>& moved, const Vector<std::string>& authors,
                 const std::map<std::string, test::naive::Names>& readers);
  // The user's rights have changed.
  void Regranted(const std::string& user);
  void LoseNext() { ++to_lose_; }
  void DelayNext(double ms) { delay_ms_ = ms; }
  void Heal();

  size_t steps() const;
  void Step(size_t which);
  double next_time() const;
  bool has_silent() const;

 private:
  struct Line {
    size_t profile = 0;
    std::string user;
    std::string client;   // from its `hello`; empty: the server has not read one yet
    bool silent = false;  // nothing passes
  };
  struct Event {
    uint64_t worker = 0;
    Data event;  // for the worker; a `hello`: for the server
    double ready_at = 0;
  };
  void Notify(uint64_t worker, std::string_view state, const Data& more, double delay_ms);
  void Say(uint64_t worker, const char* text);
  void Greet(uint64_t worker, const Data& hello);
  void Close(uint64_t worker, double code);
  void Poke(uint64_t worker, const std::string& realm, uint64_t revision);

  World* world_;
  std::map<uint64_t, Line> lines_;  // by the worker's serial
  Vector<Event> events_;
  int to_lose_ = 0;
  double delay_ms_ = 0;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_POKES_H_
