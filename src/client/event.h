// The events of a window. Only this file and log/event.h describe their shape; docs/window.md says
// when each comes.
#ifndef SKERRY_CLIENT_EVENT_H_
#define SKERRY_CLIENT_EVENT_H_

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include "log/event.h"
#include "log/message.h"

namespace skerry {

// kCommit: the next attempt of a group commit. kReread: a full reading. kKept: the same, a while
// after another page has kept mutations. kLogged: the message `logged` is sent.
enum class WindowTimer : uint8_t { kNone, kCommit, kReread, kKept, kLogged };
inline constexpr const char* kWindowTimers[] = {"", "commit", "reread", "kept", "logged"};
static_assert(std::size(kWindowTimers) == static_cast<size_t>(WindowTimer::kLogged) + 1);

struct OpenEvent {
  static constexpr const char* kType = "open";
};

// Nothing has happened: the state is reported if it differs.
struct StateEvent {
  static constexpr const char* kType = "state";
};

// Of an image that the host could not provide: `missing`, `corrupt` (the image is not used any
// more), or a failure of storage.
struct ImageLoadError {
  std::string code;
  std::string detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("code", self.code);
    member("detail", self.detail);
  }
};

// The answer to the effect `loadImage`.
struct ImageLoadedEvent {
  static constexpr const char* kType = "imageLoaded";
  std::string generation;
  bool ok = false;
  ImageLoadError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation);
    member("ok", self.ok);
    member.Optional("error", self.error);
  }
};

struct WindowTimerEvent {
  static constexpr const char* kType = "timer";
  WindowTimer name = WindowTimer::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWindowTimers);
  }
};

// The page is being frozen; `ends`: or may end.
struct FreezeEvent {
  static constexpr const char* kType = "freeze";
  bool ends = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("ends", self.ends);
  }
};

// The last handler of the application has run.
struct StillEvent {
  static constexpr const char* kType = "still";
};

struct ResumeEvent {
  static constexpr const char* kType = "resume";
};

// The database closes.
struct LeaveEvent {
  static constexpr const char* kType = "leave";
};

enum class Resolution : uint8_t { kDiscard, kRetry, kTake };

// What becomes of an entry of the inbox. `id`: its key. `theirs`: of kTake, the props of its object
// that are not changed again; all other changes of the mutation are made again.
struct ResolveEvent {
  static constexpr const char* kType = "resolve";
  uint64_t id = 0;
  Resolution how = Resolution::kDiscard;
  Vector<std::string> theirs;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kHow[] = {"discard", "retry", "take"};
    member("id", self.id);
    member.Text("how", self.how, kHow);
    member.Optional("theirs", self.theirs);
  }
};

// A row, as the application names it. `realm`: of a table with ids of its own.
struct NamedRow {
  std::string table;
  std::string id;
  std::optional<std::string> realm;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("id", self.id);
    member.Optional("realm", self.realm);
  }
};

// The answer to the effect `validate`: the rows that the application's rules find wrong, as far as
// pending mutations change them.
struct JudgeEvent {
  static constexpr const char* kType = "judge";
  Vector<NamedRow> wrong;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("wrong", self.wrong);
  }
};

// The application opens a stream. `stream`: its handle, of the caller's choice.
struct StreamOpenEvent {
  static constexpr const char* kType = "streamOpen";
  uint64_t stream = 0;
  std::string realm;  // empty: the default realm
  std::string name;
  uint64_t keep = 0;                // of a plain one: so many of the last actions
  std::optional<uint64_t> reducer;  // of a reduced one: the version of its reducer
  bool migrates = false;            // it can take over states of older versions

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    member.Optional("realm", self.realm);
    member("name", self.name);
    member.Optional("keep", self.keep);
    member.Optional("reducer", self.reducer);
    member.Optional("migrates", self.migrates);
  }
};

struct StreamCloseEvent {
  static constexpr const char* kType = "streamClose";
  uint64_t stream = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
  }
};

// Asks for the last `limit` stored actions before a place; `id` comes back with them.
struct StreamPageEvent {
  static constexpr const char* kType = "streamPage";
  uint64_t id = 0;
  uint64_t stream = 0;
  uint64_t revision = 0;
  uint64_t position = 0;
  uint64_t limit = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("stream", self.stream);
    member("revision", self.revision);
    member("position", self.position);
    member("limit", self.limit);
  }
};

// The state of a reduced stream, with all actions up to a revision, is stored. Of a plain stream,
// without a state: the actions before this revision are no longer needed.
struct StreamStateEvent {
  static constexpr const char* kType = "streamState";
  uint64_t stream = 0;
  uint64_t revision = 0;
  std::optional<std::string> state;  // JSON text

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream);
    member("revision", self.revision);
    member.Optional("state", self.state);
  }
};

// The page may be loaded again: asks for what can be undone and redone, as the effect `keepUndo`.
struct KeepUndoEvent {
  static constexpr const char* kType = "keepUndo";
};

// The page goes on with the text of such an effect, and with nothing else; none: with nothing.
struct TakeUndoEvent {
  static constexpr const char* kType = "takeUndo";
  std::optional<std::string> text;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("text", self.text);
  }
};

// A comparison with the server goes on. kBegin: from the start. kIfDue: the same, if no window has compared for a
// week, or this one had to load an earlier image. kWork: looks at so many rows. kAnswer: with the server's
// answer to the last request.
enum class CompareStep : uint8_t { kBegin, kIfDue, kWork, kAnswer };
struct CompareEvent {
  static constexpr const char* kType = "compare";
  CompareStep step = CompareStep::kBegin;
  uint64_t rows = 0;
  Data answer;  // wire::DiffAnswer

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kSteps[] = {"begin", "ifDue", "work", "answer"};
    member.Text("step", self.step, kSteps);
    member.Optional("rows", self.rows);
    member.Optional("answer", self.answer);
  }
};

// The answer to an effect `offer`, or the code of the error instead.
struct OfferedEvent {
  static constexpr const char* kType = "offered";
  Data answer;  // wire::OfferAnswer or PushAnswer
  std::string code;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Optional("answer", self.answer);
    member.Optional("code", self.code);
  }
};

// A ReadEvent comes, too; it is handled apart, because the reply to it is the only effect.
// (Scopes come in the same shape as in the message to the worker.)
using WindowEvents = OneOf<DoneEvent, FailedEvent, MessageEvent, PostEvent, OpenEvent, StateEvent,
                           ImageLoadedEvent, WindowTimerEvent, FreezeEvent, StillEvent, LeaveEvent,
                           ResumeEvent, ScopesMessage, ResolveEvent, JudgeEvent, StreamsMessage,
                           StreamOpenEvent, StreamCloseEvent, StreamPageEvent, StreamStateEvent,
                           KeepUndoEvent, TakeUndoEvent, CompareEvent, OfferedEvent>;

// The wall clock of an event, in ms; `last` if it has none.
inline double NowOf(const Data& event, double last) { return event["now"].as_number(last); }

}  // namespace skerry

#endif  // SKERRY_CLIENT_EVENT_H_
