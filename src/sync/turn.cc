#include "sync/turn.h"

#include "base/fields.h"

namespace skerry {
namespace {

const char* NameOf(WorkerTimer timer) { return kWorkerTimers[static_cast<uint8_t>(timer)]; }

}  // namespace

void Turn::Timer(WorkerTimer timer, double delay_ms) { Emit(TimerEffect(NameOf(timer), delay_ms)); }

void Turn::Cancel(WorkerTimer timer) { Emit(CancelEffect(NameOf(timer))); }

void Turn::Broadcast(const void* message, ListMembers list, const char* type) {
  Emit(BroadcastEffect(WriteMembers(message, list, nullptr, type)));
}

void Turn::Post(const void* message, ListMembers list, const char* type) {
  Emit(PostEffect(WriteMembers(message, list, nullptr, type)));
}

uint64_t Turn::Transact(std::initializer_list<Store> stores, TransactionMode mode,
                        Data::Array reads) {
  const uint64_t id = ++*last_id_;
  Emit(TransactEffect(id, stores, mode, std::move(reads)));
  return id;
}

uint64_t Turn::Fetch(FetchRequest request) {
  const uint64_t id = ++*last_id_;
  Data effect = Fields{{"type", "fetch"},
                       {"id", id},
                       {"method", request.is_get ? "GET" : "POST"},
                       {"path", request.path},
                       {"body", Data::Bytes(std::move(request.body))},
                       {"token", ToData(request.token)},
                       {"timeoutMs", request.timeout_ms}};
  if (request.max_bytes > 0) effect.Set("maxBytes", request.max_bytes);
  Emit(std::move(effect));
  return id;
}

uint64_t Turn::StartImageJob(Data job) {
  const uint64_t id = ++*last_id_;
  Emit(Fields{{"type", "image"}, {"id", id}, {"job", std::move(job)}});
  return id;
}

void Turn::AbortFetch(uint64_t id) { Emit(Fields{{"type", "abortFetch"}, {"id", id}}); }

void Turn::AbortImageJob(uint64_t id) { Emit(Fields{{"type", "abortImage"}, {"id", id}}); }

void Turn::Lock(LeaseName name, LockAction action) {
  static constexpr const char* kActions[] = {"request", "steal", "release"};
  Emit(Fields{{"type", "lock"},
              {"name", skerry::NameOf(name)},
              {"action", kActions[static_cast<uint8_t>(action)]}});
}

void Turn::NeedToken(TokenNeed why) {
  Emit(Fields{{"type", "needToken"}, {"why", kTokenNeeds[static_cast<uint8_t>(why)]}});
}

void Turn::OpenSocket() { Emit(Fields{{"type", "socket"}, {"action", "open"}}); }

void Turn::SendToSocket(const std::string& text) {
  Emit(Fields{{"type", "socket"}, {"action", "send"}, {"text", text}});
}

void Turn::CloseSocket() { Emit(Fields{{"type", "socket"}, {"action", "close"}}); }

void Turn::WakeService(Data message) {
  Emit(Fields{{"type", "wakeService"}, {"message", std::move(message)}});
}

void Turn::ShowStatus(const Data& status) { Emit(Fields{{"type", "status"}, {"status", status}}); }

}  // namespace skerry
