// Shared by the tests of Tab: two windows over one fake IndexedDB, in which every transaction and
// every message waits for the test.
#ifndef SKERRY_TEST_CORE_CLIENT_TAB_FIXTURE_H_
#define SKERRY_TEST_CORE_CLIENT_TAB_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "base/vector.h"
#include "client/mirror.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/client/client_fixture.h"
#include "test/core/client/window_world.h"

namespace skerry::client_test {

inline const std::string kBoardId = "01890000-0000-7000-8000-0000000000b0";
inline const std::string kCardId = "01890000-0000-7000-8000-0000000000c0";
inline const std::string kNewId = "01890000-0000-7000-8000-0000000000d0";

inline Data One(const char* name, Data value) { return Data::Object{{name, std::move(value)}}; }

// Publishes an image with group g, at this n.
inline void Publish(Storage* storage, const std::string& generation, uint64_t n, double count = 0) {
  Base base(&TestSchema());
  base.PutBase({kGroupTable, "g"}, MakeRow(kGroupTable, {{"name", "base"}, {"count", count}}));
  storage->Publish(generation, base, n);
}

inline Step Confirm(const Storage& storage, uint64_t key) {
  Step step;
  step.kind = StepKind::kOwnOps;
  step.realm = "A";
  step.at = 5000;
  step.revision = storage.n() + 1;
  step.ops = DecodeMutation(TestSchema(), storage.mutations.at(key)["body"].as_bytes()).value().ops;
  return step;
}

inline Data ConfirmAll(Storage* storage) {
  Vector<uint64_t> keys;
  Vector<Step> steps;
  for (const auto& [key, record] : storage->mutations) {
    keys.push_back(key);
    steps.push_back(Confirm(*storage, key));
  }
  return Data::Object{{"type", "record"}, {"record", storage->Work(keys, {}, std::move(steps))}};
}

inline double Count(Window& window) {
  const std::optional<Row> row = window.See(kGroupTable, "g");
  return row ? row->props[Prop(kGroupTable, "count")].number() : -1;
}

inline bool Noted(const Window& window, const char* type) {
  for (const Data& note : window.notes) {
    if (note["type"].as_string() == type) return true;
  }
  return false;
}

// Runs the next transaction with this outcome, and reports it.
inline void Next(Window& window, Outcome outcome = Outcome::kDone) {
  window.Run(outcome);
  window.Notify();
}

inline void Fire(Window& window, const std::string& name) {
  REQUIRE(window.timers.erase(name) == 1);
  window.Event(Data::Object{{"type", "timer"}, {"name", name}});
}

inline Data Message(Window& window, const char* type) {
  for (const Data& message : window.sent) {
    if (message["type"].as_string() == type) return message;
  }
  return {};
}

inline std::string Stage(Window& window, const std::string& id, const char* stage) {
  return window.settled[id][stage];
}

// Two windows without a remote.
struct LocalPair {
  LocalPair() {
    a.Settle();
    b.Settle();
  }
  Storage storage;
  Window a{&storage, "a", false};
  Window b{&storage, "b", false};
};

struct Pair {
  Pair() : a(Opened("a")), b(Opened("b")) {}
  Storage storage;
  Window& A() { return *a; }
  Window& B() { return *b; }
  std::unique_ptr<Window> Opened(const char* tab) {
    if (storage.images.empty()) Publish(&storage, "g0", 0);
    auto window = std::make_unique<Window>(&storage, tab);
    window->Settle();
    REQUIRE(window->ready());
    window->notes.clear();
    return window;
  }
  std::unique_ptr<Window> a, b;
};

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_TAB_FIXTURE_H_
