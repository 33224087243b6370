// Turn: one event while it is handled: its clocks, and the effects of its handling, in their order.
// Every state machine of the sync worker is passed the turn, so none of them has a clock or an
// output of its own. Only this class writes a worker's effects (docs/sync-worker.md, section 3).
#ifndef SKERRY_SYNC_TURN_H_
#define SKERRY_SYNC_TURN_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/data.h"
#include "log/effect.h"
#include "log/kinds.h"
#include "log/transaction_builder.h"
#include "sync/names.h"

namespace skerry {

enum class LockAction : uint8_t { kRequest, kSteal, kRelease };
inline constexpr const char* kLockActions[] = {"request", "steal", "release"};

// The shapes of a worker's effects, besides those of log/effect.h, image_job.h and status.h.
namespace effect {

struct SetWorkerTimer {
  static constexpr const char* kType = "timer";
  WorkerTimer name = WorkerTimer::kNone;
  double delay_ms = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWorkerTimers);
    member("delayMs", self.delay_ms);
  }
};

struct CancelWorkerTimer {
  static constexpr const char* kType = "cancel";
  WorkerTimer name = WorkerTimer::kNone;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kWorkerTimers);
  }
};

enum class Method : uint8_t { kGet, kPost };

struct Fetch {
  static constexpr const char* kType = "fetch";
  uint64_t id = 0;
  Method method = Method::kPost;
  std::string path;
  std::string body;
  Token token;
  double timeout_ms = 0;
  uint64_t max_bytes = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kMethods[] = {"GET", "POST"};
    member("id", self.id);
    member.Text("method", self.method, kMethods);
    member("path", self.path);
    member.Bytes("body", self.body);
    member("token", self.token);
    member("timeoutMs", self.timeout_ms);
    member.Optional("maxBytes", self.max_bytes);
  }
};

struct AbortFetch {
  static constexpr const char* kType = "abortFetch";
  uint64_t id = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
  }
};

struct AbortImage {
  static constexpr const char* kType = "abortImage";
  uint64_t id = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
  }
};

struct Lock {
  static constexpr const char* kType = "lock";
  LeaseName name = LeaseName::kNone;
  LockAction action = LockAction::kRequest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("name", self.name, kLeaseNames);
    member.Text("action", self.action, kLockActions);
  }
};

struct AskToken {
  static constexpr const char* kType = "needToken";
  TokenNeed why = TokenNeed::kExpired;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member.Text("why", self.why, kTokenNeeds);
  }
};

enum class SocketAction : uint8_t { kOpen, kSend, kClose };

struct Socket {
  static constexpr const char* kType = "socket";
  SocketAction action = SocketAction::kOpen;
  std::string text;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kActions[] = {"open", "send", "close"};
    member.Text("action", self.action, kActions);
    member.Optional("text", self.text);
  }
};

struct WakeService {
  static constexpr const char* kType = "wakeService";
  Data message;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("message", self.message);
  }
};

}  // namespace effect

struct FetchRequest {
  std::string path;  // below the remote's URL
  std::string body;
  Token token;
  double timeout_ms = 0;
  bool is_get = false;
  uint64_t max_bytes = 0;  // of the answer, inflated; 0: those of any other
};

// The core's answer to a `read` event.
struct ReadReply {
  Data::Array writes;
  Data::Array more;  // another round of reads, instead of writes
  bool abort = false;
};

class Turn {
 public:
  Turn(double now_ms, double mono_ms, uint64_t* last_id)
      : now(now_ms), mono(mono_ms), last_id_(last_id) {}
  const double now;
  const double mono;

  void Timer(WorkerTimer timer, double delay_ms);  // replaces the timer of that name
  void Cancel(WorkerTimer timer);
  template <Kind T>
  void Broadcast(const T& message) {
    Broadcast(&message, ListMembersOf<T>(), T::kType);
  }
  template <Kind T>
  void Post(const T& message) {
    Post(&message, ListMembersOf<T>(), T::kType);
  }

  // These emit what they start, and return its id. Ids are never reused.
  uint64_t Transact(std::initializer_list<Store> stores, TransactionMode mode, Data::Array reads);
  uint64_t Fetch(FetchRequest request);
  uint64_t StartImageJob(Data job);
  void AbortFetch(uint64_t id);
  void AbortImageJob(uint64_t id);

  // The replies to a read.
  void Write(uint64_t id, Data::Array writes) { Emit(WriteEffect(id, Data(std::move(writes)))); }
  void More(uint64_t id, Data::Array reads) { Emit(MoreEffect(id, Data(std::move(reads)))); }
  void Abort(uint64_t id) { Emit(AbortEffect(id)); }

  void Lock(LeaseName name, LockAction action);
  void NeedToken(TokenNeed why);
  void OpenSocket();
  void SendToSocket(const std::string& text);
  void CloseSocket();
  void WakeService(Data message);
  void ShowStatus(const Data& status);

  Data TakeEffects() { return std::exchange(effects_, Data::MakeArray()); }

 private:
  void Emit(Data effect) { effects_.Push(std::move(effect)); }
  template <Kind T>
  void Emit(const T& effect) {
    Emit(WriteKind(effect));
  }
  void Broadcast(const void* message, ListMembers list, const char* type);
  void Post(const void* message, ListMembers list, const char* type);

  uint64_t* last_id_;
  Data effects_ = Data::MakeArray();
};

}  // namespace skerry

#endif  // SKERRY_SYNC_TURN_H_
