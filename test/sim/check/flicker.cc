// 6 no flicker: a query never shows a state that is neither before nor after a transaction. Every
// window has live queries open. After each event a query reports at most once, and exactly the
// difference. Its rows are then those that a plain function over all visible rows returns (check 5
// compares visible rows with base and pending). Nothing is reported in the middle of a transaction,
// or when storage is read. After a rollback all queries show the same rows as before. A window
// never goes back: its n does not decrease, and a mutation stops being pending in it only when the
// window has applied a record that says so, or when the mutation was withdrawn.
#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/json.h"
#include "test/sim/checks.h"
#include "test/sim/live_queries.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr size_t kQueriesAWindow = 3;

Vector<uint32_t> Stream(const std::string& bytes) {
  Vector<uint32_t> stream;
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    stream.push_back(word);
  }
  return stream;
}

// The same object in another look.
const Shown* Find(const Look& look, const Shown& other) {
  for (const Shown& shown : look) {
    const bool is_in_realm = !shown.table->custom_ids || shown.row.realm == other.row.realm;
    if (shown.id == other.id && is_in_realm) return &shown;
  }
  return nullptr;
}

// Compares all but the slots.
bool IsSame(const Look& a, const Look& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].id != b[i].id || !(a[i].row == b[i].row) || !IsSame(a[i].included, b[i].included))
      return false;
  }
  return true;
}

Data Texts(const Vector<std::string>& ids) {
  Data texts = Data::MakeArray();
  for (const std::string& id : ids) texts.Push(id);
  return texts;
}

class FlickerCheck final : public Check {
 public:
  using Check::Check;

  void Began(WindowHost& window) override {
    Watched& watched = windows_[window.serial()];
    for (size_t i = 0; i < kQueriesAWindow; ++i) {
      const PlainQuery& plain = PlainQueries()[(window.serial() + i * 3) % PlainQueries().size()];
      const Result<uint32_t> query = window.client().QueryNew(ParseJson(plain.description).value());
      SKERRY_CHECK(query.ok());
      Vector<uint32_t> stream;
      const uint32_t id = window.client().LiveOpen(query.value(), &stream).value();
      window.client().QueryFree(query.value());
      watched.lives.push_back({id, &plain, {}});
    }
  }

  void Drained(WindowHost& window, const Data& drained, Drain when) override {
    Watched& watched = windows_[window.serial()];
    const bool is_told = !drained["live"].items().empty();
    if (is_told && when == Drain::kWithin) Fail(window, "reports the middle of a transaction");
    if (when != Drain::kWithin && (is_told || !drained["dirty"].items().empty())) {
      const AllRows all = RowsOf(window.client().view());
      for (Live& live : watched.lives) {
        const Look before = live.shown;
        Compare(window, drained["live"], all, &live);
        if (when == Drain::kRolledBack && !IsSame(before, live.shown))
          Fail(window, "reports changes that were rolled back");
      }
    }
    Follow(window, &watched);
  }

  void Settled(WindowHost& /*window*/, const std::string& action, const std::string& stage,
               const std::string& code) override {
    if (stage == "durable" && !code.empty()) withdrawn_.insert(action);
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    for (const Data& write : writes.items()) {
      if (write["store"].as_string() != "updates") continue;
      const Data& record = write["put"];
      for (const char* how : {"confirmed", "refused"}) {
        for (const Data& item : record[how].items()) {
          // A restored profile may report it again.
          const uint64_t n = record["n"].as_u64();
          auto& keys = heard_at_[host.profile().index][item["id"].as_string()];
          uint64_t& first = keys.try_emplace(item["key"].as_u64(), n).first->second;
          first = std::min(first, n);
        }
      }
    }
  }

  void Copied(const Profile& profile, const Profile& of) override {
    heard_at_[profile.index] = heard_at_[of.index];
  }

  void Moment() override {
    for (const Gone& gone : gone_) {
      if (!withdrawn_.contains(gone.action) && !IsTold(gone))
        return Check::Fail("6 no flicker: " + gone.action + " is no longer pending in a window");
    }
    gone_.clear();
  }

 private:
  struct Live {
    uint32_t id = 0;
    const PlainQuery* plain = nullptr;
    Look shown;
  };
  struct Watched {
    Vector<Live> lives;
    std::map<std::string, uint64_t> pending;  // action, key: 0 where it has none yet
    uint64_t n = 0;
  };
  struct Gone {
    size_t profile = 0;
    uint64_t n = 0;
    std::string action;
    uint64_t key = 0;
  };

  void Fail(WindowHost& window, const std::string& what) {
    Check::Fail("6 no flicker: window " + window.tab() + " " + what);
  }

  void Compare(WindowHost& window, const Data& changes, const AllRows& all, Live* live) {
    const Look wanted = live->plain->look(all);
    const Data* delta = nullptr;
    for (const Data& one : changes.items()) {
      if (one["live"].as_u64() != live->id) continue;
      if (delta != nullptr) return Fail(window, "reports one event twice to a query");
      delta = &one;
    }
    if (delta == nullptr) {
      if (live->shown != wanted)
        Fail(window, std::string("does not report a change: ") + live->plain->description);
      return;
    }
    if (live->shown == wanted)
      return Fail(window, std::string("reports a change, but nothing has changed: ") +
                              live->plain->description);
    const Look shown = LookOf(*live->plain, Stream((*delta)["rows"].as_bytes()), all);
    if (shown != wanted)
      return Fail(window, std::string("shows wrong rows: ") + live->plain->description);
    const Look before = std::move(live->shown);
    live->shown = shown;
    CompareLists(window, *delta, before, *live);
  }

  void CompareLists(WindowHost& window, const Data& delta, const Look& before, const Live& live) {
    Vector<std::string> added, removed, changed;
    for (const Shown& now : live.shown) {
      const Shown* then = Find(before, now);
      if (then == nullptr) {
        added.push_back(now.id);
      } else if (!(*then == now)) {
        changed.push_back(now.id);
      }
    }
    for (const Shown& then : before) {
      if (Find(live.shown, then) == nullptr) removed.push_back(then.id);
    }
    if (!(delta["added"] == Texts(added)) || !(delta["removed"] == Texts(removed)) ||
        !(delta["changed"] == Texts(changed)))
      Fail(window, std::string("reports a wrong difference: ") + live.plain->description);
  }

  // Mutations that are no longer pending are checked later, because the window reports after this
  // that a mutation was withdrawn.
  void Follow(WindowHost& window, Watched* watched) {
    const Mirror& mirror = window.client().tab().mirror();
    if (mirror.n() < watched->n) Fail(window, "goes back to n = " + std::to_string(mirror.n()));
    watched->n = mirror.n();
    for (const auto& [action, key] : watched->pending) {
      if (mirror.pending().Find(action) == nullptr)
        gone_.push_back({window.profile().index, mirror.n(), action, key});
    }
    watched->pending.clear();
    for (const Pending* pending : mirror.pending().InOrder())
      watched->pending[pending->mutation.action.id] = pending->key;
  }

  bool IsTold(const Gone& gone) const {
    const auto profile = heard_at_.find(gone.profile);
    if (profile == heard_at_.end()) return false;
    const auto keys = profile->second.find(gone.action);
    if (keys == profile->second.end()) return false;
    for (const auto& [key, n] : keys->second) {
      if ((gone.key == 0 || gone.key == key) && n <= gone.n) return true;
    }
    return false;
  }

  std::map<uint64_t, Watched> windows_;  // by serial
  std::map<size_t, std::map<std::string, std::map<uint64_t, uint64_t>>>
      heard_at_;  // profile, action, key: n
  std::set<std::string> withdrawn_;
  Vector<Gone> gone_;
};

}  // namespace

std::unique_ptr<Check> MakeFlickerCheck(World* world) {
  return std::make_unique<FlickerCheck>(world);
}

}  // namespace skerry::sim
