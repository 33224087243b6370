#include "test/sim/event.h"

#include <utility>

#include "base/random.h"

namespace skerry::sim {
namespace {

constexpr KindInfo kKinds[] = {
    {"run", false, 520, "steps of windows, workers, network and nodes, in random order"},
    {"mutate", false, 190, "the user changes something in a window"},
    {"pass", false, 70, "time passes: up to seconds, now and then more than a minute"},
    {"live", false, 24, "seconds pass in which no message is late"},
    {"openTab", false, 14, "a window is opened"},
    {"closeTab", false, 6, "a window is closed: pagehide, leases are released"},
    {"duplicateTab", true, 8, "a window is duplicated: same profile, a tab id of its own"},
    {"hide", true, 12, "a page becomes hidden"},
    {"show", false, 14, "a page becomes visible"},
    {"resolve", false, 10, "the user resolves an entry of the inbox: retry or discard"},
    {"scopes", true, 8, "a window drops a scope, or asks for it again"},
    {"fold", false, 14, "the state of a reducer is stored, and what no window shows is removed"},
    {"snapshot", false, 12, "the server makes a snapshot of a stream, and may forget its actions"},
    {"setApart", true, 10,
     "the server's reducer cannot fold a stream, which may be full then, or it is mended"},
    {"grant", true, 8, "the application gives a user another right in realm B, or none"},
    {"syncNow", false, 14, "the application asks for sync.now()"},
    {"loseRequest", true, 16, "a request does not arrive: the client gets an error at once"},
    {"hangRequest", true, 8, "a request does not arrive: the client waits until its time limit"},
    {"cutBeforeCommit", true, 12, "a node dies before it commits: the transaction is rolled back"},
    {"cutAfterCommit", true, 16, "a node commits, and its answer is lost"},
    {"repeatRequest", true, 16, "a copy of a request arrives again: soon, or minutes later"},
    {"delayRequest", true, 12, "a request takes seconds"},
    {"reorderRequests", true, 12, "the last message on the wire arrives first"},
    {"reorderChannel", true, 12, "a message of the channel overtakes another sender's"},
    {"delayChannel", true, 10, "messages of the channel to one core wait"},
    {"unavailable", true, 8, "a node answers 503"},
    {"restartNode", true, 8, "a node is restarted: its open transaction is rolled back"},
    {"offline", true, 6, "a browser has no network"},
    {"online", false, 10, "a browser has a network again"},
    {"crashTab", true, 10, "a window and its worker crash, after any step"},
    {"crashWorker", true, 10, "only the worker crashes; the window starts another"},
    {"crashBrowser", true, 5, "all windows of a profile crash at once"},
    {"freeze", true, 10, "a page is frozen: it gets the event, and loses later messages"},
    {"thaw", false, 14, "a frozen or stalled page continues"},
    {"stall", true, 10, "a page or its worker stands still at any step, without an event"},
    {"throttle", true, 8, "the timers of a page fire once a minute"},
    {"stepClock", true, 6, "a browser's wall clock jumps by a day, forward or back"},
    {"quota", true, 10, "the next writes fail: the quota is exceeded"},
    {"storageError", true, 10, "the next transaction fails"},
    {"lostCompletion", true, 8, "the next transaction is stored, but reported as failed"},
    {"damageImage", true, 6, "a byte of a stored image changes"},
    {"loseImage", true, 4, "the files of an image are lost"},
    {"backUp", true, 8, "a profile is copied"},
    {"restore", true, 4, "a profile is restored from the copy"},
    {"clone", true, 3, "the copy becomes a profile beside the first: two live copies"},
    {"backUpServer", true, 8, "the database is copied"},
    {"restoreServer", true, 4, "the database is restored from the copy"},
    {"forgetLog", true, 10, "the server forgets the log of a realm, but for its last entries"},
    {"gone", true, 3, "the server no longer knows a client's place in its log: 410"},
    {"expireTokens", true, 8, "all tokens expire"},
    {"oldToken", true, 6, "the application answers with a token that has expired"},
    {"noToken", true, 5, "the application has no token"},
    {"logIn", false, 8, "the user logs in again"},
    {"losePoke", true, 10, "a poke is lost"},
    {"delayPoke", true, 8, "a poke comes seconds late"},
    {"closeSocket", true, 8, "a socket is closed"},
    {"silenceSocket", true, 8, "a socket stays open, and nothing passes any more"},
    {"deployNode", true, 8, "a node is started with the other release"},
    {"deployPages", true, 14, "new pages of a profile are of the other release from now on"},
    {"stopService", true, 40, "the browser stops the service worker at any step"},
    {"muteService", true, 6,
     "no message reaches the service worker any more, or its running versions stall"},
    {"unmuteService", false, 8, "messages reach the service worker again"},
    {"updateService", true, 8, "a new version of the service worker runs beside the old one"},
    {"unregister", true, 4, "the service worker is unregistered, and the windows notice"},
    {"register", false, 8, "the service worker is registered again"},
    {"syncEvent", false, 14, "the browser wakes the service worker, with windows or without"},
    {"foreignWrite", false, 0, "another program writes to the database by SQL"},
};
static_assert(sizeof kKinds / sizeof kKinds[0] == static_cast<size_t>(Kind::kCount));

bool IsOfReleases(Kind kind) { return kind >= kFirstOfReleases && kind < kFirstOfService; }

constexpr uint64_t kMinEvents = 200;
constexpr uint64_t kMoreEvents = 80;

// By chances of its own: the other choices of a seed do not depend on it.
void AddForeign(uint64_t seed, Script* script) {
  Random random("foreign " + std::to_string(seed));
  if (random.Below(3) != 0) return;
  script->parts |= static_cast<uint64_t>(Part::kForeign);
  Vector<Event> events;
  const uint64_t often = 10 + random.Below(40);
  for (const Event& event : script->events) {
    events.push_back(event);
    if (random.Below(often) == 0) {
      events.push_back({Kind::kForeignWrite, static_cast<uint32_t>(random.Below(1u << 20)),
                        static_cast<uint32_t>(random.Below(1u << 20))});
    }
  }
  script->events = std::move(events);
}

}  // namespace

const KindInfo& InfoOf(Kind kind) { return kKinds[static_cast<size_t>(kind)]; }

Script Generate(uint64_t seed) {
  Random random("sim " + std::to_string(seed));
  Script script;
  const bool has_service = seed > kServiceSeeds;
  const bool has_releases = random.Below(2) == 0;
  const bool has_rights = random.Below(2) == 0;
  const bool has_streams = random.Below(3) != 0;
  const auto kinds = static_cast<size_t>(has_service ? kOnTop : kFirstOfService);
  script.setup = random.Below(1u << 30);
  uint64_t weights[static_cast<size_t>(Kind::kCount)];
  uint64_t sum = 0;
  for (size_t i = 0; i < kinds; ++i) {
    const uint64_t dice = random.Below(10);
    const uint64_t most = kKinds[i].weight;
    const uint64_t swarm = dice < 5 ? 0 : dice < 8 ? (most + 1) / 2 : most * 2;
    weights[i] = kKinds[i].is_fault ? swarm : most;
    if (!has_releases && IsOfReleases(static_cast<Kind>(i))) weights[i] = 0;
    if (!has_rights && static_cast<Kind>(i) == Kind::kGrant) weights[i] = 0;
    const bool is_of_streams = static_cast<Kind>(i) == Kind::kFold ||
                               static_cast<Kind>(i) == Kind::kSnapshot ||
                               static_cast<Kind>(i) == Kind::kSetApart;
    if (!has_streams && is_of_streams) weights[i] = 0;
    // A realm is lost only if it was founded between the backup and the restart from it.
    if (has_rights && static_cast<Kind>(i) == Kind::kRestoreServer) weights[i] *= 3;
    sum += weights[i];
  }
  const uint64_t count = kMinEvents + random.Below(kMoreEvents);
  for (uint64_t n = 0; n < count; ++n) {
    uint64_t at = random.Below(sum);
    size_t kind = 0;
    while (at >= weights[kind]) at -= weights[kind++];
    script.events.push_back({static_cast<Kind>(kind), static_cast<uint32_t>(random.Below(1u << 20)),
                             static_cast<uint32_t>(random.Below(1u << 20))});
  }
  script.parts = random.Below(kAllParts + 1);
  if (has_releases) script.parts |= static_cast<uint64_t>(Part::kReleases);
  if (has_service) script.parts |= static_cast<uint64_t>(Part::kService);
  if (has_rights) script.parts |= static_cast<uint64_t>(Part::kRights);
  if (has_streams) script.parts |= static_cast<uint64_t>(Part::kStreams);
  if (random.Below(3) == 0) script.parts |= static_cast<uint64_t>(Part::kSmallAnswers);
  if (random.Below(3) == 0) script.parts |= static_cast<uint64_t>(Part::kRules);
  AddForeign(seed, &script);
  return script;
}

Data ScriptToData(const Script& script) {
  Data events = Data::MakeArray();
  for (const Event& event : script.events) {
    Data item = Data::MakeArray();
    events.Push(item.Push(InfoOf(event.kind).name).Push(event.a).Push(event.b));
  }
  Data out = Data::MakeObject();
  return out.Set("setup", script.setup).Set("parts", script.parts).Set("events", std::move(events));
}

Result<Script> ScriptFromData(const Data& data) {
  Script script;
  script.setup = data["setup"].as_u64();
  script.parts = data["parts"].as_u64();
  for (const Data& item : data["events"].items()) {
    if (item.items().size() != 3) return Status(Code::kParse, "an event is [kind, a, b]");
    size_t kind = 0;
    while (kind < static_cast<size_t>(Kind::kCount) && !item.items()[0].Is(kKinds[kind].name))
      ++kind;
    if (kind == static_cast<size_t>(Kind::kCount))
      return Status(Code::kParse, "no event is called " + item.items()[0].as_string());
    script.events.push_back({static_cast<Kind>(kind),
                             static_cast<uint32_t>(item.items()[1].as_u64()),
                             static_cast<uint32_t>(item.items()[2].as_u64())});
  }
  return script;
}

}  // namespace skerry::sim
