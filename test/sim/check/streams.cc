// Streams (docs/design.md, "Streams"): an application that folds what a window hands over has
// folded each action of the log once, in its order, and shows its own pending ones after them. When
// all is quiet, storage has what the windows need: of a reduced stream all actions that no stored
// state holds, of a plain one the last ones. What the log holds is decided by the naive server.
#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "log/codec.h"
#include "log/stream_record.h"
#include "sync/records.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

using Ids = Vector<std::string>;

bool IsEndOf(const Ids& end, const Ids& all) {
  return end.size() <= all.size() &&
         std::equal(end.begin(), end.end(), all.end() - static_cast<ptrdiff_t>(end.size()));
}

std::string Text(const Ids& ids) {
  std::string text;
  for (const std::string& id : ids) text += " " + id.substr(24);
  return "[" + text + " ]";
}

// What a profile has stored of one stream.
struct StoredIds {
  uint64_t floor = 0;
  Vector<StateRecord> states;
  std::map<ActionPlace, std::string> actions;

  Ids InOrder() const {
    Ids ids;
    for (const auto& [place, id] : actions) ids.push_back(id);
    return ids;
  }
};

class StreamsCheck final : public Check {
 public:
  using Check::Check;

  // An action is not shown as confirmed and as pending at once, but for mutations that will be pushed
  // once more when they are in the log already: a page that was frozen has stored them again, or is
  // about to, they come from an older copy, or their update was given up: the server has lost a
  // realm, or a late request has brought it after all.
  void Drained(WindowHost& window, const Data& /*drained*/, Drain when) override {
    if (!window.streams().has_value() || when != Drain::kAfter) return;
    for (const OpenStream& stream : window.streams()->open()) {
      for (const std::string& id : stream.shown.Twice()) {
        if (!again_.contains(id) && !IsForgotten(window, id))
          return FailAt(window, stream, id + " is confirmed and pending");
      }
    }
  }

  void Stored(Host& host, const Data& writes, const Data& /*keys*/) override {
    if (!world_->Has(Part::kStreams)) return;
    for (const Data& write : writes.items()) {
      const bool adds = write["store"].Is("mutations") && write.Find("add") != nullptr;
      const bool gives_up = write["store"].Is("outbox") && write.Find("delete") != nullptr;
      if (adds || gives_up) return FindLogged(host.profile());
    }
  }

  void Committed(const CommittedPush& push) override {
    if (!world_->Has(Part::kStreams)) return;
    for (size_t i = 0; i < push.results.size(); ++i) {
      if (!push.results[i]["status"].Is("applied")) continue;
      const Data& update = push.body["updates"].items()[i];
      for (const auto& profile : world_->profiles()) {
        if (!profile->storage.Get("outbox", update["id"]).is_null()) continue;
        for (const auto& [key, record] : profile->storage.store("mutations")) {
          for (const Data& action : update["actions"].items()) {
            if (action["id"] == record["id"]) again_.insert(record["id"].as_string());
          }
        }
      }
    }
  }

  void Restored(const Profile& profile, const Profile& /*before*/) override { Copied(profile); }
  void Copied(const Profile& profile, const Profile& /*of*/) override { Copied(profile); }

  void Moment() override {
    for (const auto& profile : world_->profiles()) {
      for (const auto& tab : profile->tabs) {
        if (tab->window->ready() && tab->window->streams().has_value()) Compare(*tab->window);
      }
    }
  }

  void End() override {
    if (!world_->Has(Part::kStreams)) return;
    for (const auto& profile : world_->profiles()) {
      const auto readable =
          world_->network().database().ReadableBy(world_->network().CallerOf(*profile));
      const SyncRecord sync = SyncRecord::Read(profile->storage.Get("sync", "sync"));
      for (const auto& [realm, right] : readable) {
        if (sync.cursors.contains(realm)) CompareStored(*profile, realm);
      }
      for (const auto& tab : profile->tabs) {
        for (const OpenStream& stream : tab->window->streams()->open()) {
          // The server has no state for an older version of the reducer.
          const Streams::Stream* core =
              tab->window->client().tab().streams().Find(static_cast<uint32_t>(stream.handle));
          const bool is_gone = core != nullptr && core->is_cut_off && core->has_asked_again;
          if (is_gone) world_->Count("stream: what a reducer needs is gone");
          if (sync.cursors.contains(stream.realm) && !stream.shown.whole && !is_gone)
            return FailAt(*tab->window, stream, "it is not whole");
        }
      }
    }
  }

 private:
  // The window does not know that it was stored, and the record that says so is gone.
  static bool IsForgotten(WindowHost& window, const std::string& id) {
    const Pending* pending = window.client().tab().mirror().pending().Find(id);
    if (pending == nullptr || pending->key != 0) return false;
    for (const auto& [n, record] : window.profile().storage.store("updates")) {
      for (const Data& item : record["confirmed"].items()) {
        if (item["id"].Is(id.c_str())) return false;
      }
    }
    return true;
  }

  // Mutations that are in the log, and in no update.
  void FindLogged(Profile& profile) {
    std::set<std::string> grouped;
    for (const auto& [id, update] : profile.storage.store("outbox")) {
      for (const Data& mutation : update["mutations"].items())
        grouped.insert(mutation["id"].as_string());
    }
    for (const auto& [key, record] : profile.storage.store("mutations")) {
      const std::string& id = record["id"].as_string();
      if (!grouped.contains(id) && world_->network().database().HasAction(id)) again_.insert(id);
    }
  }

  void Copied(const Profile& profile) {
    auto& storage = const_cast<Profile&>(profile).storage;
    for (const auto& [key, record] : storage.store("mutations"))
      again_.insert(record["id"].as_string());
  }

  void FailAt(const WindowHost& window, const OpenStream& stream, const std::string& problem) {
    Fail("streams: window " + window.tab() + ": " + stream.name + " of " + stream.realm + ": " +
         problem);
  }

  static Ids PendingOf(WindowHost& window, const OpenStream& stream) {
    Ids ids;
    for (const Pending* pending : window.client().tab().mirror().pending().InOrder()) {
      for (const Op& op : pending->mutation.ops) {
        const bool is_of = op.Has(kOnStream) && op.realm == stream.realm &&
                           op.stream == stream.name && pending->IsLive(op);
        if (is_of) ids.push_back(pending->mutation.action.id);
      }
    }
    return ids;
  }

  void Compare(WindowHost& window) {
    const SyncRecord sync = SyncRecord::Read(window.profile().storage.Get("sync", "sync"));
    const bool is_in_step =
        window.client().tab().mirror().n() == sync.n &&
        world_->checks().IsInHistory(window.profile().storage.Get("sync", "sync")["cursors"]);
    for (const OpenStream& stream : window.streams()->open()) {
      const Streams::Stream* core =
          window.client().tab().streams().Find(static_cast<uint32_t>(stream.handle));
      if (core == nullptr) continue;  // it will be opened
      const Ids pending = PendingOf(window, stream);
      if (stream.shown.pending != pending)
        return FailAt(
            window, stream,
            "it shows the pending " + Text(stream.shown.pending) + " instead of " + Text(pending));
      // A realm that the server has lost is kept as it was.
      const auto cursor = sync.cursors.find(stream.realm);
      // What was shown stays while the stream is read again.
      if (!is_in_step || cursor == sync.cursors.end() || !core->is_loaded) continue;
      const test::naive::Server& naive = world_->checks().naive();
      if (stream.version != 0) {
        const Ids expected = naive.StreamOf(stream.realm, stream.name, stream.shown.upto);
        const Ids folded = WindowStreams::FoldedBy(stream);
        if (folded != expected)
          return FailAt(window, stream,
                        "it has folded " + Text(folded) + " instead of " + Text(expected));
      } else if (stream.shown.whole) {
        const Ids expected =
            naive.StreamOf(stream.realm, stream.name, CursorRevision(cursor->second));
        if (!HasEndOf(stream.shown, expected, Floor(stream.realm, stream.name)))
          return FailAt(window, stream, "it lacks the last of " + Text(expected));
      }
    }
  }

  // So many actions of a stream are gone.
  size_t Floor(const std::string& realm, const std::string& name) const {
    const uint64_t floor = world_->network().database().FloorOf(realm, name);
    return world_->checks().naive().StreamOf(realm, name, floor).size();
  }

  // Whether the last actions are shown, and nothing that is not in the log. `gone`: so many of the
  // first ones are gone.
  static bool HasEndOf(const test::ShownStream& shown, const Ids& all, size_t gone) {
    Ids ids;
    for (const auto& [place, id] : shown.confirmed) ids.push_back(id);
    const size_t left = all.size() - std::min(all.size(), gone);
    const size_t most = std::min<size_t>(left, kKeep);
    if (ids.size() < most) return false;
    return IsEndOf(Ids(ids.end() - static_cast<ptrdiff_t>(most), ids.end()), all) &&
           std::all_of(ids.begin(), ids.end(),
                       [&](const std::string& id) { return Contains(all, id); });
  }

  StoredIds Stored(const Profile& profile, const std::string& realm, const std::string& name) {
    StoredIds found;
    const KeyRange keys = KeysOfStream(realm, name);
    const auto& storage = profile.storage;
    for (const Data& record : storage.Between("actions", keys.from.data(), keys.to.data())) {
      const auto actions =
          DecodeActions(SchemaOf(profile.release), ReadRecord<ActionsRecord>(record).body);
      if (!actions.ok()) {
        Fail("streams: a row of actions cannot be read");
        break;
      }
      for (const StreamAction& action : actions.value()) {
        if (!found.actions.emplace(action.place, action.id).second)
          Fail("streams: " + action.id + " is stored twice");
      }
    }
    for (const Data& record : storage.Between("streams", keys.from.data(), keys.to.data())) {
      if (Is<StateRecord>(record)) {
        found.states.push_back(ReadRecord<StateRecord>(record));
      } else {
        found.floor = ReadRecord<StreamRecord>(record).floor;
      }
    }
    return found;
  }

  void CompareStored(const Profile& profile, const std::string& realm) {
    const test::naive::Server& naive = world_->checks().naive();
    const std::string who = "streams: profile " + std::to_string(uint64_t{profile.index}) +
                            " has stored of " + realm + ": ";
    for (const char* name : {kPlainStream, kReducedStream, "log/1", "log/2", "other"}) {
      const StoredIds stored = Stored(profile, realm, name);
      const Ids ids = stored.InOrder();
      const Ids all = naive.StreamOf(realm, name, naive.head(realm));
      const bool is_reduced = std::string_view(name) == kReducedStream;
      const bool is_unwanted = std::string_view(name) == "other";
      // Each is wanted as a whole, but for the plain one.
      const bool may_lack =
          std::string_view(name) == kPlainStream || stored.floor > 0 || is_unwanted;
      if (!IsEndOf(ids, all) || (!may_lack && ids != all))
        return Fail(who + name + " " + Text(ids) + " instead of " + Text(all));
      if (is_unwanted) {
        if (!ids.empty()) return Fail(who + "an unwanted stream");
        continue;
      }
      for (const StateRecord& state : stored.states) {
        const Ids folded = test::ActionsOfState(ParseJson(state.state).value());
        if (folded != naive.StreamOf(realm, name, state.revision))
          return Fail(who + "a wrong state of " + name + ": " + Text(folded));
        world_->Count("stream: a state is stored");
      }
      const Ids below = naive.StreamOf(realm, name, stored.floor);
      if (is_reduced && ids.size() + below.size() < all.size())
        return Fail(who + name + " from " + std::to_string(stored.floor) + ": " + Text(ids) +
                    " of " + Text(all));
      // Its beginning is gone, or was when a snapshot took its place.
      const size_t left =
          std::string_view(name) == kPlainStream ? all.size() : all.size() - below.size();
      if (!is_reduced && ids.size() < std::min<size_t>(kKeep, left))
        return Fail(who + name + " " + Text(ids) + " of " + Text(all));
    }
  }

  std::set<std::string> again_;  // actions
};

}  // namespace

std::unique_ptr<Check> MakeStreamsCheck(World* world) {
  return std::make_unique<StreamsCheck>(world);
}

}  // namespace skerry::sim
