// The effects of a window, besides those of log/effect.h. Only these two files and
// log/transaction_builder.h write them; docs/window.md, section 6, says what each means.
#ifndef SKERRY_CLIENT_EFFECT_H_
#define SKERRY_CLIENT_EFFECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "client/comparison.h"
#include "client/event.h"
#include "client/inbox.h"
#include "client/undo_stack.h"
#include "log/effect.h"
#include "log/kinds.h"
#include "log/mutation_record.h"
#include "log/stream_action.h"
#include "log/sync_record.h"

namespace skerry {

// The shapes of effects. JavaScript's types are written from them
// (test/core/sync/host_types_test.cc).
namespace effect {

struct SetWindowTimer {
  static constexpr const char* kType = "timer";
  WindowTimer name = WindowTimer::kNone;
  double delay_ms = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWindowTimers);
    member("delayMs", self.delay_ms);
  }
};

struct CancelWindowTimer {
  static constexpr const char* kType = "cancel";
  WindowTimer name = WindowTimer::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWindowTimers);
  }
};

struct LoadImage {
  static constexpr const char* kType = "loadImage";
  std::string generation;
  std::optional<std::string> mount;
  Vector<ImagePart> parts;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation);
    member("mount", self.mount);
    member("parts", self.parts);
  }
};

struct Ready {
  static constexpr const char* kType = "ready";
};

struct OpenFailed {
  static constexpr const char* kType = "openFailed";
  HostError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("error", self.error);
  }
};

// `code`: a number of `Code` (base/status.h).
struct Problem {
  static constexpr const char* kType = "problem";
  uint64_t code = 0;
  std::string detail;
  std::optional<WantedScope> scope;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("code", self.code);
    member("detail", self.detail);
    member.Optional("scope", self.scope);
  }
};

struct StorageFailed {
  static constexpr const char* kType = "storageFailed";
  HostError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("error", self.error);
  }
};

struct StorageRecovered {
  static constexpr const char* kType = "storageRecovered";
};

struct DataLost {
  static constexpr const char* kType = "dataLost";
  std::string detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("detail", self.detail);
  }
};

struct UpdateNeeded {
  static constexpr const char* kType = "updateNeeded";
};

struct Keep {
  static constexpr const char* kType = "keep";
  DataOf<Vector<MutationRecord>> records;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("records", self.records);
  }
};

struct Failure {
  std::string code;
  std::string detail;
  bool retryable = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("code", self.code);
    member("detail", self.detail);
    member("retryable", self.retryable);
  }
};

enum class Stage : uint8_t { kDurable, kPushed, kConfirmed };

struct Settle {
  static constexpr const char* kType = "settle";
  std::string id;
  Stage stage = Stage::kDurable;
  std::optional<Failure> error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kStages[] = {"durable", "pushed", "confirmed"};
    member("id", self.id);
    member.Text("stage", self.stage, kStages);
    member("error", self.error);
  }
};

struct StreamPage {
  static constexpr const char* kType = "streamPage";
  uint64_t id = 0;
  DataOf<Vector<ConfirmedAction>> actions;
  uint64_t floor = 0;
  std::optional<std::string> error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("actions", self.actions);
    member("floor", self.floor);
    member("error", self.error);
  }
};

// The application's rules are to be asked about these rows, which have changed or are gone; or about
// all rows, but about these first. A JudgeEvent answers.
struct Validate {
  static constexpr const char* kType = "validate";
  bool all = false;
  Vector<NamedRow> rows;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("all", self.all);
    member("rows", self.rows);
  }
};

// What `db.undo()` and `db.redo()` would do.
struct Undo {
  static constexpr const char* kType = "undo";
  std::optional<ShownAction> undo;
  std::optional<ShownAction> redo;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("undo", self.undo);
    member("redo", self.redo);
  }
};

// What can be undone and redone, as text (client/undo_text.h); none: nothing. `dropped`: why a text that
// was to be taken is of no use.
struct KeepUndo {
  static constexpr const char* kType = "keepUndo";
  std::optional<std::string> text;
  std::optional<std::string> dropped;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("text", self.text);
    member("dropped", self.dropped);
  }
};

// The answer to each CompareEvent. kWork: there is more to look at. kAsk: `request` is to be sent, and its
// answer to be given. kPull: what is left can be compared after a pull.
struct Compared {
  static constexpr const char* kType = "compared";
  CompareNext next = CompareNext::kDone;
  std::optional<std::string> request;  // JSON text, for POST /v1/diff
  uint64_t checked = 0;                // rows, so far
  uint64_t left = 0;                   // parts that could not be compared
  uint64_t hopeless = 0;               // rows that were mended before, and differ again

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kNext[] = {"work", "ask", "pull", "done"};
    member.Text("next", self.next, kNext);
    member("request", self.request);
    member("checked", self.checked);
    member("left", self.left);
    member("hopeless", self.hopeless);
  }
};

// `request` is to be sent to this path, and an OfferedEvent answers.
struct Offer {
  static constexpr const char* kType = "offer";
  std::string path;     // `/offer` or `/push`
  std::string request;  // JSON text

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("path", self.path);
    member("request", self.request);
  }
};

// Rows that differed from the server's, and are now as those are.
struct Mended {
  static constexpr const char* kType = "mended";
  Vector<NamedRow> rows;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("rows", self.rows);
  }
};

// The whole inbox.
struct Conflicts {
  static constexpr const char* kType = "conflicts";
  Vector<ShownConflict> items;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("items", self.items);
  }
};

struct Resolved {
  static constexpr const char* kType = "resolved";
  uint64_t id = 0;
  std::optional<Failure> error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("error", self.error);
  }
};

}  // namespace effect
using effect::Stage;

void Broadcast(const void* message, ListMembers list, const char* type, Data* effects);
void Post(const void* message, ListMembers list, const char* type, Data* effects);

template <Kind T>
void Broadcast(const T& message, Data* effects) {
  Broadcast(&message, ListMembersOf<T>(), T::kType, effects);
}
template <Kind T>
void Post(const T& message, Data* effects) {
  Post(&message, ListMembersOf<T>(), T::kType, effects);
}

Data TimerEffect(WindowTimer timer, double delay_ms);
Data CancelEffect(WindowTimer timer);

Data LoadImageEffect(const ImagePointer& pointer);
Data ReadyEffect();
Data OpenFailedEffect(const HostError& error);

// An event that cannot be handled, or a part of it. `scope` null: it is not about a scope.
Data ProblemEffect(const Status& status, const WantedScope* scope = nullptr);

// Notices for the application.
Data StorageFailedEffect(const HostError& error);
Data StorageRecoveredEffect();
Data DataLostEffect(const char* detail);
Data UpdateNeededEffect();  // a newer version of the package has written here

// `records`: of MutationRecord. The host adds them to `mutations` at once.
Data KeepEffect(Data records);

// `code` empty: without an error.
Data SettleEffect(std::string_view id, Stage stage, std::string_view code, std::string_view detail,
                  bool retryable);

// The answer to a StreamPageEvent. `floor`: what is at or below this revision is not stored.
// `code` empty: without an error.
Data StreamPageEffect(uint64_t id, Data actions, uint64_t floor, std::string_view code);

Data ValidateEffect(bool all, Vector<NamedRow> rows);

// Null: there is nothing.
Data UndoEffect(const UndoStep* undo, const UndoStep* redo);

Data ConflictsEffect(Vector<ShownConflict> entries);  // all of them
// `code` empty: without an error.
Data ResolvedEffect(uint64_t entry, const char* code, std::string_view detail);

Data ComparedEffect(const effect::Compared& compared);
Data OfferEffect(std::string path, std::string request);
Data MendedEffect(Vector<NamedRow> rows);

enum class WindowPhase : uint8_t { kOpening, kReady, kLoading, kReloading };

struct WindowState {
  static constexpr const char* kType = "state";
  WindowPhase phase = WindowPhase::kOpening;
  uint64_t n = 0;
  Cursors cursors;
  uint64_t pending = 0;  // not confirmed
  uint64_t unsaved = 0;  // those of this window that are not durable
  uint64_t held = 0;     // those that the application's rules hold back
  std::optional<double> oldest_pending_at;
  uint64_t conflicts = 0;
  double clock_offset = 0;
  std::optional<double> last_synced_at;
  Vector<SyncScope> scopes;
  std::optional<Vector<std::string>> lost;  // realms that the server has lost
  // SyncProgress::invitations
  DataOf<std::optional<Vector<Data>>> invitations;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kPhases[] = {"opening", "ready", "loading", "reloading"};
    member.Text("phase", self.phase, kPhases);
    member("n", self.n);
    member("cursors", self.cursors);
    member("pending", self.pending);
    member("unsaved", self.unsaved);
    member("held", self.held);
    member("oldestPendingAt", self.oldest_pending_at);
    member("conflicts", self.conflicts);
    member("clockOffset", self.clock_offset);
    member("lastSyncedAt", self.last_synced_at);
    member("scopes", self.scopes);
    member.Optional("lost", self.lost);
    member("invitations", self.invitations);
  }
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_EFFECT_H_
