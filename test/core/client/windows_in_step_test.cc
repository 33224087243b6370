// Goal: windows of one client stay in step with storage although messages come late, out of order,
// twice or never (docs/design.md, "Windows in step"). Method: random steps of several windows over
// one fake IndexedDB. Each mutation adds one to a counter of its own (a "bit"): a doubling shows
// as 2, a loss as 0. Every second mutation also adds one in a second realm, and either realm may
// confirm it first. Windows are reloaded, also under a schema with its props in another order.
// Beside each window runs NaiveWindow, which applies the rules to sets of bits; the two must agree
// after every step, and a window's own bits never disappear unless they are rejected. At rest,
// every window shows what storage holds.
#include <algorithm>
#include <cstdlib>

#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/client/client_fixture.h"
#include "test/core/client/naive_window.h"
#include "test/core/client/window_world.h"
#include "test/core/rounds.h"

namespace skerry::client_test {
namespace {

constexpr int kBits = 60;
constexpr const char* kRealms[] = {"A", "B"};
std::string BitId(int bit, size_t realm = 0) {
  return (realm == 0 ? "bit" : "twin") + std::to_string(bit);
}
bool HasTwin(int bit) { return bit % 2 == 0; }

struct Pane {
  std::unique_ptr<Window> window;
  NaiveWindow naive;
  Bits own;
  bool frozen = false;
  std::optional<NaiveReading>
      ran;  // what the transaction that ran has read, if it was a full reading
  bool catch_up = false;
  uint64_t image_n = 0;  // of the image that the window loads
  Vector<std::pair<int, uint64_t>> added;
  Vector<Data> held;
};

uint64_t Setting(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class WindowsWorld {
 public:
  explicit WindowsWorld(uint64_t seed) : random_(Seed(seed)) {
    late_ = random_.Unit();
    images_ = random_.Below(3) != 0;
    failures_ = random_.Below(3) == 0;
    lost_ =
        !images_ && random_.Below(2) == 0;  // with images, only the server notices a lost commit
    PublishImage(0);
    const uint64_t count = 2 + random_.Below(3);
    for (uint64_t i = 0; i < count; ++i) {
      panes_.push_back({});
      panes_.back().window = std::make_unique<Window>(&storage_, "tab" + std::to_string(i));
    }
    for (Pane& pane : panes_) {
      while (!pane.window->ready()) Work(pane);
    }
  }

  void Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      Pane& pane = panes_[random_.Below(panes_.size())];
      if (pane.frozen) {
        if (random_.Below(3) == 0) Resume(pane);
      } else {
        Act(pane);
      }
      Check();
    }
    Rest();
  }

 private:
  void Act(Pane& pane) {
    switch (random_.Below(20)) {
      case 0:
      case 1:
      case 2:
        return Mutate(pane);
      case 3:
      case 4:
      case 5:
      case 6:
        return Work(pane);
      case 7:
        return Fire(pane);
      case 8:
      case 9:
      case 10:
        return SyncWorker();
      case 11:
        return MakeImage();
      case 12:
        return random_.Below(3) == 0 ? Freeze(pane) : Mutate(pane);
      case 13:
        return random_.Below(6) == 0 ? Reload(pane) : Work(pane);
      default:
        return Deliver();
    }
  }

  void Mutate(Pane& pane) {
    if (!pane.window->ready() || last_bit_ >= kBits) return;
    const int bit = ++last_bit_;
    Vector<Operation> operations;
    for (size_t realm = 0; realm < 2; ++realm) {
      if (realm == 1 && !HasTwin(bit)) continue;
      const std::string name = BitId(bit, realm);
      operations.push_back({kInc, kGroupTable, name, Data::Object{{"count", 1}}});
      operations.push_back({kUpdate, kGroupTable, name, Data::Object{{"name", name}}});
    }
    const std::string id = pane.window->DoAll(std::move(operations));
    REQUIRE_NE(id, "");
    bits_[id] = bit;
    pane.own.insert(bit);
    pane.naive.unkeyed.push_back(bit);
  }

  NaiveReading Reading(const Data& results) {
    NaiveReading reading;
    const Data& sync = results.items()[0];
    reading.n = sync["n"].as_u64();
    reading.removed_up_to = sync["goneUpTo"].as_u64();
    for (const Data& item : results.items()[1].items())
      reading.records.push_back({item["key"].as_u64(), RecordOf(item["value"])});
    for (const Data& item : results.items()[2].items()) {
      reading.mutations[bits_.at(item["value"]["id"].as_string())] = item["key"].as_u64();
    }
    for (const Data& item : results.items()[3].items()) {
      for (const Data& member : item["value"]["mutations"].items())
        AddPartly(member["id"], item["value"]["confirmed"], &reading.partly);
    }
    return reading;
  }

  void AddPartly(const Data& id, const Data& realms, BitsOfRealms* partly) const {
    for (const Data& realm : realms.items())
      (*partly)[realm.as_string() == kRealms[0] ? 0 : 1].insert(bits_.at(id.as_string()));
  }
  NaiveRecord RecordOf(const Data& record) const {
    NaiveRecord naive;
    for (const Data& each : record["confirmed"].items())
      naive.confirmed.insert(bits_.at(each["id"].as_string()));
    for (const Data& each : record["refused"].items())
      naive.refused.insert(bits_.at(each["id"].as_string()));
    for (const Data& each : record["partly"].items())
      AddPartly(each["id"], each["realms"], &naive.partly);
    return naive;
  }

  // One step of the window's host.
  void Work(Pane& pane) {
    Window& window = *pane.window;
    if (window.CanNotify()) return Notify(pane);
    if (window.CanRun()) {
      const size_t reads = window.Next()["reads"].items().size();
      const bool writes = window.Next()["mode"].as_string() == "readwrite";
      Outcome outcome = Outcome::kDone;
      if (failures_ && writes && random_.Below(4) == 0) {
        outcome = lost_ && random_.Below(2) == 0 ? Outcome::kLost
                  : random_.Below(2) == 0        ? Outcome::kQuota
                                                 : Outcome::kFailed;
      }
      window.Run(outcome);
      pane.ran.reset();
      pane.added.clear();
      const bool read = window.results.items().size() >= 4;
      if (read) pane.ran = Reading(window.results);
      pane.catch_up = read && reads == 5;
      for (const auto& [id, key] : window.added) {
        pane.added.emplace_back(bits_.at(id), key);
        keys_[bits_.at(id)] = key;
      }
      pane_ok_[&pane] = outcome == Outcome::kDone;
      return;
    }
    if (window.CanLoad()) {
      window.LoadImage();
      Collect(pane);
    }
  }

  void Notify(Pane& pane) {
    const bool ok = pane_ok_[&pane];
    if (ok && pane.ran) {
      NaiveWindow& naive = pane.naive;
      if (pane.catch_up) {
        // The image whose n the window asked from: the records above it were read.
        for (const char* name : {"image", "previous"}) {
          const Data& pointer = pane.window->results.items()[0][name];
          if (pointer.is_null() || !naive.Continues(pointer["n"].as_u64(), *pane.ran)) continue;
          pane.image_n = pointer["n"].as_u64();
          break;
        }
      } else if (naive.open && !naive.Continues(naive.n, *pane.ran)) {
        naive.open = false;  // too far behind: loads the image again
      } else if (naive.open) {
        naive.Take(*pane.ran, keys_);
      }
    }
    pane.window->Notify();
    if (ok && pane.catch_up && pane.ran && !Loading(pane)) {
      NaiveWindow& naive = pane.naive;
      naive.base = contents_.at(pane.image_n);
      naive.n = pane.image_n;
      naive.pending.clear();
      naive.open = true;
      naive.Take(*pane.ran, keys_);
    }
    if (ok) {
      for (const auto& [bit, key] : pane.added) pane.naive.Completed(bit, key);
    }
    pane.ran.reset();
    pane.added.clear();
    Collect(pane);
    const Vector<Data> held = std::move(pane.held);
    pane.held.clear();
    for (const Data& message : held) NaiveHear(pane, message);
  }

  // Is the window on its way to an image (again)?
  static bool Loading(Pane& pane) { return pane.window->state["phase"].as_string() != "ready"; }

  // Broadcasts go to all other windows; withdrawn mutations are removed.
  void Collect(Pane& pane) {
    for (Data& message : pane.window->sent) {
      for (Pane& other : panes_) {
        if (&other != &pane) net_.emplace_back(&other, message);
      }
    }
    pane.window->sent.clear();
    const Vector<Data> notes = std::move(pane.window->notes);
    pane.window->notes.clear();
    for (const Data& note : notes) {
      if (note["type"].as_string() == "openFailed")
        pane.window->Event(Data::Object{{"type", "open"}});
    }
    for (const auto& [id, stages] : pane.window->settled) {
      const auto it = stages.find("durable");
      if (it == stages.end() || it->second == "ok") continue;
      const int bit = bits_.at(id);
      pane.own.erase(bit);
      erase(pane.naive.unkeyed, bit);
      withdrawn_.insert(bit);
    }
  }

  void Fire(Pane& pane) {
    if (pane.window->timers.empty()) return;
    const std::string name = *pane.window->timers.begin();
    pane.window->timers.erase(name);
    pane.window->Event(Data::Object{{"type", "timer"}, {"name", name}});
    Collect(pane);
  }

  void SyncWorker() {
    Vector<uint64_t> confirmed;
    Vector<uint64_t> refused;
    Vector<std::pair<uint64_t, std::string>> partly;
    Vector<Step> steps;
    const uint64_t most = random_.Below(3);
    for (const auto& [key, record] : storage_.mutations) {
      if (confirmed.size() + refused.size() + partly.size() == most) break;
      const int bit = bits_.at(record["id"].as_string());
      const auto sent = storage_.outbox.find("u" + std::to_string(key));
      const bool is_partly = sent != storage_.outbox.end();
      if (random_.Below(5) == 0 && !is_partly) {
        refused.push_back(key);
        inbox_.insert(bit);
        continue;
      }
      // Sometimes in one of its realms first.
      const size_t only =
          HasTwin(bit) && !is_partly && random_.Below(2) == 0 ? random_.Below(2) : 2;
      if (only < 2) {
        partly.emplace_back(key, kRealms[only]);
      } else {
        confirmed.push_back(key);
        confirmed_.insert(bit);
      }
      for (size_t realm = 0; realm < 2; ++realm) {
        const bool is_there =
            is_partly && sent->second["confirmed"].items()[0].as_string() == kRealms[realm];
        if (!is_there && (only == 2 || only == realm)) steps.push_back(OwnStep(record, realm));
      }
    }
    const Data record = storage_.Work(confirmed, refused, std::move(steps), partly);
    for (Pane& pane : panes_) {
      net_.emplace_back(&pane, Data::Object{{"type", "record"}, {"record", record}});
    }
  }

  Step OwnStep(const Data& record, size_t realm) const {
    Step step;
    step.kind = StepKind::kOwnOps;
    step.realm = kRealms[realm];
    step.at = static_cast<double>(storage_.n() + 2);
    step.revision = storage_.n() + 2;
    const Result<Mutation> mutation = DecodeMutation(TestSchema(), record["body"].as_bytes());
    for (const Op& op : mutation.value().ops) {
      if (op.realm == step.realm) step.ops.push_back(op);
    }
    return step;
  }

  void PublishImage(uint64_t n) {
    Base base(&TestSchema());
    for (int bit = 1; bit <= kBits; ++bit) {
      for (size_t realm = 0; realm < 2; ++realm) {
        if (realm == 1 && !HasTwin(bit)) continue;
        Sets sets = {{"count", contents_[n][realm].contains(bit) ? 1 : 0}};
        if (contents_[n][realm].contains(bit)) sets.emplace_back("name", BitId(bit, realm));
        base.PutBase({kGroupTable, BitId(bit, realm)},
                     MakeRow(kGroupTable, sets, 1, kRealms[realm]));
      }
    }
    storage_.Publish("g" + std::to_string(n), base, n);
  }

  void MakeImage() {
    const uint64_t from = storage_.sync["image"]["n"].as_u64();
    if (!images_ || storage_.n() == from) return;
    const uint64_t upto = from + 1 + random_.Below(storage_.n() - from);
    for (size_t realm = 0; realm < 2; ++realm) {
      Bits content = contents_[from][realm];
      for (const auto& [n, data] : storage_.updates) {
        if (n <= from || n > upto) continue;
        const NaiveRecord record = RecordOf(data);
        for (const Bits* bits : {&record.confirmed, &record.partly[realm]})
          content.insert(bits->begin(), bits->end());
      }
      contents_[upto][realm] = std::move(content);
    }
    PublishImage(upto);
  }

  void Freeze(Pane& pane) {
    pane.frozen = true;
    // The window does not know whether a kept mutation was stored.
    pane.window->keeps = lost_ && random_.Below(4) != 0;
    pane.window->added.clear();
    pane.window->Event(Data::Object{{"type", "freeze"}});
    if (random_.Below(2) == 0) Mutate(pane);
    for (const auto& [id, key] : pane.window->added) keys_[bits_.at(id)] = key;
    pane.window->Event(Data::Object{{"type", "still"}});
    Collect(pane);
    erase_if(net_, [&](const auto& each) { return each.first == &pane && random_.Below(2) == 0; });
    if (random_.Below(2) == 0) return;
    // The host closes IndexedDB. Whether the running transaction was stored stays unknown, in the
    // runs that allow that.
    if (pane.window->CanNotify() && !lost_) return;
    pane.window->FailAll();
    pane.ran.reset();
    pane.added.clear();
    Collect(pane);
    for (const Data& message : pane.held) NaiveHear(pane, message);
    pane.held.clear();
  }

  void Resume(Pane& pane) {
    pane.frozen = false;
    pane.window->Event(Data::Object{{"type", "resume"}});
    Collect(pane);
  }

  void Reload(Pane& pane) {
    if (pane.frozen || !pane.window->ready()) return;
    for (int i = 0; i < 200 && !AllStored(pane); ++i) WorkOrFire(pane);
    if (!AllStored(pane)) return;
    pane.window->Reopen(random_.Below(2) == 0 ? SchemaData() : ReorderedSchemaData());
    pane.naive = {};
    pane.held.clear();
    pane.ran.reset();
    pane.added.clear();
    Collect(pane);
  }
  static bool AllStored(Pane& pane) {
    return pane.window->client().tab().mirror().pending().unkeyed_count() == 0;
  }
  void WorkOrFire(Pane& pane) {
    if (pane.window->CanNotify() || pane.window->CanRun() || pane.window->CanLoad()) {
      Work(pane);
    } else {
      Fire(pane);
    }
  }

  void Deliver() {
    if (net_.empty()) return;
    const size_t at = random_.Unit() < late_ ? random_.Below(net_.size()) : 0;
    const auto [to, message] = net_[at];
    net_.erase(net_.begin() + static_cast<std::ptrdiff_t>(at));
    if (to->frozen) {
      if (random_.Below(2) == 0) net_.emplace_back(to, message);
      return;
    }
    Hear(*to, message);
  }

  void Hear(Pane& pane, const Data& message) {
    const bool between = pane.ran.has_value() && pane.window->CanNotify();
    if (between) {
      pane.held.push_back(message);
    } else {
      NaiveHear(pane, message);
    }
    pane.window->Hear(message);
    Collect(pane);
  }

  void NaiveHear(Pane& pane, const Data& message) {
    NaiveWindow& naive = pane.naive;
    if (!naive.open) return;
    if (message["type"].as_string() == "added") {
      for (const Data& item : message["items"].items()) {
        naive.Added(bits_.at(item["id"].as_string()), item["key"].as_u64());
      }
    } else if (message["type"].as_string() == "record") {
      const Data& record = message["record"];
      if (record["n"].as_u64() != naive.n + 1) return;  // known, or a gap: a reading follows
      naive.Record(record["n"].as_u64(), RecordOf(record), keys_);
    }
  }

  std::map<int, int> Counts(Pane& pane, size_t realm) {
    std::map<int, int> counts;
    const TableDef& table = pane.window->client().schema().table(kGroupTable);
    const PropIndex count_prop = table.FindProp("count");
    const PropIndex name_prop = table.FindProp("name");
    for (int bit = 1; bit <= last_bit_; ++bit) {
      if (realm == 1 && !HasTwin(bit)) continue;
      const std::optional<Row> row = pane.window->See(kGroupTable, BitId(bit, realm));
      REQUIRE(row.has_value());
      const int count = static_cast<int>(row->props[count_prop].number());
      const Value& name = row->props[name_prop];
      REQUIRE((count == 0 ? name.is_null() : name.text() == BitId(bit, realm)));
      if (count != 0) counts[bit] = count;
    }
    return counts;
  }
  static std::map<int, int> OfTwins(std::map<int, int> counts) {
    erase_if(counts, [](const auto& each) { return !HasTwin(each.first); });
    return counts;
  }

  void Check() {
    for (Pane& pane : panes_) {
      if (!pane.window->ready()) continue;
      CAPTURE(pane.window->tab());
      const std::map<int, int> counts = Counts(pane, 0);
      const std::map<int, int> twins = Counts(pane, 1);
      for (const auto& each : {counts, twins}) {
        for (const auto& [bit, count] : each) REQUIRE_EQ(count, 1);
      }
      if (!pane.frozen) {
        for (const int bit : pane.own) {
          const bool kept = counts.contains(bit) || inbox_.contains(bit);
          REQUIRE(kept);
        }
      }
      if (!pane.naive.open) continue;
      REQUIRE_EQ(pane.naive.n, pane.window->client().tab().mirror().n());
      REQUIRE(counts == pane.naive.Counts(0));
      REQUIRE(twins == OfTwins(pane.naive.Counts(1)));
    }
  }

  void Rest() {
    failures_ = false;
    for (Pane& pane : panes_) {
      if (pane.frozen) Resume(pane);
    }
    for (int round = 0; round < 2000; ++round) {
      bool quiet = net_.empty();
      for (Pane& pane : panes_) {
        if (pane.window->CanNotify() || pane.window->CanRun() || pane.window->CanLoad() ||
            !pane.window->timers.empty()) {
          quiet = false;
          WorkOrFire(pane);
        }
      }
      if (!net_.empty()) Deliver();
      if (quiet) break;
    }
    Check();
    std::map<int, int> want;
    for (int bit = 1; bit <= last_bit_; ++bit) {
      if (!inbox_.contains(bit) && !withdrawn_.contains(bit)) want[bit] = 1;
    }
    for (Pane& pane : panes_) {
      CAPTURE(pane.window->tab());
      CAPTURE(pane.window->client().tab().mirror().n());
      CAPTURE(storage_.n());
      CAPTURE(pane.window->state["phase"].as_string());
      CAPTURE(pane.window->state["unsaved"].as_number());
      REQUIRE(pane.window->ready());
      REQUIRE(Counts(pane, 0) == want);
      REQUIRE(Counts(pane, 1) == OfTwins(want));
      REQUIRE_EQ(pane.window->client().tab().mirror().pending().size(), storage_.mutations.size());
      CheckPromises(pane);
    }
  }

  // Every promise of a finished mutation is settled, with the mutation's outcome.
  void CheckPromises(Pane& pane) {
    for (const auto& [id, stages] : pane.window->settled) {
      const int bit = bits_.at(id);
      if (withdrawn_.contains(bit)) continue;
      REQUIRE_EQ(stages.at("durable"), "ok");
      if (confirmed_.contains(bit)) REQUIRE_EQ(stages.at("confirmed"), "ok");
      if (inbox_.contains(bit)) REQUIRE_EQ(stages.at("confirmed"), "unique");
      if (!confirmed_.contains(bit) && !inbox_.contains(bit))
        REQUIRE_FALSE(stages.contains("confirmed"));
    }
  }

  Random random_;
  Storage storage_;
  std::deque<Pane> panes_;
  std::deque<std::pair<Pane*, Data>> net_;
  std::map<std::string, int> bits_;
  std::map<int, uint64_t> keys_;
  std::map<uint64_t, BitsOfRealms> contents_;  // of images by n, of each realm
  std::map<Pane*, bool> pane_ok_;
  Bits inbox_;
  Bits confirmed_;
  Bits withdrawn_;
  int last_bit_ = 0;
  double late_ = 0;
  bool images_ = false;
  bool failures_ = false;
  bool lost_ = false;
};

}  // namespace

// SKERRY_SEEDS=count and SKERRY_FIRST=seed run other seeds, or repeat one.
TEST_CASE("keeps windows in step with storage under late, reordered and lost messages") {
  const uint64_t first = Setting("SKERRY_FIRST", 0);
  const uint64_t count = Setting("SKERRY_SEEDS", test::Rounds(200, 30));
  for (uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    WindowsWorld(seed).Run(220);
  }
}

}  // namespace skerry::client_test
