// The events of a sync worker. Only this file and log/event.h describe their shape;
// docs/sync-worker.md, section 2, says when each comes.
#ifndef SKERRY_SYNC_EVENT_H_
#define SKERRY_SYNC_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "log/event.h"
#include "log/sync_record.h"
#include "sync/message.h"
#include "sync/names.h"

namespace skerry {

struct StartEvent {
  static constexpr const char* kType = "start";
};

struct WorkerTimerEvent {
  static constexpr const char* kType = "timer";
  WorkerTimer name = WorkerTimer::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWorkerTimers);
  }
};

struct LockEvent {
  static constexpr const char* kType = "lock";
  LeaseName name = LeaseName::kNone;
  LockState state = LockState::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kLeaseNames);
    member.Text("state", self.state, kLockStates);
  }
};

struct ResponseEvent {
  static constexpr const char* kType = "response";
  uint64_t id = 0;
  std::optional<double> status;       // none: no answer, because of `error`
  std::optional<double> retry_after;  // seconds
  Data body;                          // bytes (inflated, at most 8 MiB) or text
  HostError error;                    // its name: network, timeout or too-large (over 8 MiB)

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member.Optional("status", self.status);
    member.Optional("retryAfter", self.retry_after);
    member.Optional("body", self.body);
    member.Optional("error", self.error);
  }
};

enum class SocketNews : uint8_t { kNone, kOpen, kMessage, kClosed };

struct SocketEvent {
  static constexpr const char* kType = "socket";
  SocketNews state = SocketNews::kNone;
  std::string text;  // kMessage
  double code = 0;   // kClosed

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kStates[] = {"", "open", "message", "closed"};
    member.Text("state", self.state, kStates);
    member.Optional("text", self.text);
    member.Optional("code", self.code);
  }
};

struct ImageJobError {
  std::string name;  // network, timeout, status (of the server's answer), or an exception's
  std::string message;
  double status = 0;  // of the server's answer; 0: it is not about the answer

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("name", self.name);
    member("message", self.message);
    member.Optional("status", self.status);
  }
};

// An image job goes on (`progress`), has succeeded (`parts`), or has failed.
struct ImageEvent {
  static constexpr const char* kType = "image";
  uint64_t id = 0;
  std::optional<Progress> progress;
  std::optional<Vector<ImagePart>> parts;
  ImageJobError error;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member.Optional("progress", self.progress);
    member.Optional("parts", self.parts);
    member.Optional("error", self.error);
  }
};

// A ReadEvent comes, too; it is handled apart, because the reply to it is the only effect.
// (A token comes in the same shape as a message of the window.)
using WorkerEvents =
    OneOf<StartEvent, DoneEvent, FailedEvent, PostEvent, MessageEvent, WorkerTimerEvent, LockEvent,
          ResponseEvent, TokenMessage, SocketEvent, ImageEvent>;

// The clocks of an event, in ms: the wall clock, and a monotonic one.
inline double NowOf(const Data& event) { return event["now"].as_number(); }
inline double MonoOf(const Data& event) { return event["mono"].as_number(); }

}  // namespace skerry

#endif  // SKERRY_SYNC_EVENT_H_
