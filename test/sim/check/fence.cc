// 7 fence: nothing is written under an epoch that has been superseded. Seen from outside: some
// writes need a lease (outbox, records of pulls and rejections, mutations, cursors, the chain; the
// image's pointer, under the lease `image` or, for a fill, `push`). A worker may make them only
// while storage says that the lease is its own, under the epoch that this worker has claimed. A
// socket is opened only under the lease `listen`, and a push has the epoch that is held when it is
// sent.
#include <initializer_list>

#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

bool IsLease(const Data& write) {
  return write["store"].as_string() == "sync" && write["key"].as_string() != "sync";
}

// Whether only the holder of the lease `push` may write this.
bool IsResult(const Data& write) {
  const std::string& store = write["store"].as_string();
  if (store == "updates") {
    const std::string& kind = write["put"]["kind"].as_string();
    return kind == "pull" || kind == "refusal";
  }
  return store == "outbox" || store == "mutations";
}

bool Differs(const Data& before, const Data& after, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (!(before[name] == after[name])) return true;
  }
  return false;
}

class FenceCheck final : public Check {
 public:
  using Check::Check;

  void Writing(Host& host, const Data& writes) override {
    if (host.is_window()) return;
    auto& worker = static_cast<WorkerHost&>(host);
    if (worker.mode() == Mode::kService) return ServiceWriting(worker, writes);
    for (const Data& write : writes.items()) {
      bool is_result = IsResult(write);
      if (write["key"].Is("sync") && write["store"].Is("sync")) {
        const Data before = host.profile().storage.Get("sync", "sync");
        const Data& after = write["put"];
        if (!before.is_object()) continue;
        is_result = Differs(before, after, {"cursors", "chain", "client", "seen", "known"});
        const bool publishes = Differs(before, after, {"image", "previous"});
        if (publishes && !Holds(worker, "push") && !Holds(worker, "image"))
          return Fail("7 fence: " + host.tab() + " publishes an image without a lease");
      }
      if (is_result && !Holds(worker, "push"))
        return Fail("7 fence: " + host.tab() + " writes without the lease");
    }
  }

  void Sending(WorkerHost& worker, const Data& push) override {
    if (worker.mode() == Mode::kService) return;
    if (worker.mode() == Mode::kHelper)
      return Fail("7 fence: " + worker.tab() + " pushes, and a service worker does");
    const auto claim = worker.claims.find("push");
    if (claim == worker.claims.end() || push["epoch"].as_u64() != claim->second)
      Fail("7 fence: " + worker.tab() + " pushes under an epoch that it has not claimed");
  }

  void Listening(WorkerHost& worker) override {
    if (!worker.claims.contains("listen"))
      Fail("7 fence: " + worker.tab() + " listens without the lease");
  }

  // Follows the claims of this worker.
  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (host.is_window()) return;
    for (const Data& write : writes.items()) {
      if (!IsLease(write) || !(write["put"]["owner"] == Data(host.tab()))) continue;
      auto& worker = static_cast<WorkerHost&>(host);
      const std::string& name = write["key"].as_string();
      const uint64_t epoch = write["put"]["epoch"].as_u64();
      if (write["put"]["beat"].as_u64() == 0) {
        worker.claims[name] = epoch;
      } else if (worker.claims[name] != epoch) {
        return Fail("7 fence: " + host.tab() +
                    " raises the heartbeat of an epoch that it has not claimed");
      }
    }
  }

 private:
  // A service worker has no lease: each of its writes checks the records that it reads. It makes no
  // images, takes no lease from a window, and its epochs increase.
  void ServiceWriting(WorkerHost& worker, const Data& writes) {
    for (const Data& write : writes.items()) {
      if (!write["store"].Is("sync")) continue;
      const Data before = worker.profile().storage.Get("sync", write["key"].as_string());
      const Data& after = write["put"];
      if (write["key"].Is("sync") && before.is_object() &&
          Differs(before, after, {"image", "previous", "drafts", "leftover"}))
        return Fail("7 fence: a service worker writes about images");
      if (!write["key"].Is("push")) continue;
      if (before["owner"].is_string() || after["owner"].is_string())
        return Fail("7 fence: a service worker takes a lease");
      if (after["epoch"].as_u64() <= before["epoch"].as_u64() && before.is_object())
        return Fail("7 fence: an epoch that does not go up");
    }
  }

  static bool Holds(WorkerHost& worker, const char* name) {
    const Data lease = worker.profile().storage.Get("sync", name);
    const auto claim = worker.claims.find(name);
    return claim != worker.claims.end() && lease["owner"].as_string() == worker.tab() &&
           lease["epoch"].as_u64() == claim->second;
  }
};

}  // namespace

std::unique_ptr<Check> MakeFenceCheck(World* world) { return std::make_unique<FenceCheck>(world); }

}  // namespace skerry::sim
