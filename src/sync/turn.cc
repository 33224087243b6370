#include "sync/turn.h"

#include "sync/image_job.h"
#include "sync/status.h"

namespace skerry {
void Turn::Timer(WorkerTimer timer, double delay_ms) {
  Emit(effect::SetWorkerTimer{timer, delay_ms});
}

void Turn::Cancel(WorkerTimer timer) { Emit(effect::CancelWorkerTimer{timer}); }

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
  Emit(effect::Fetch{id, request.is_get ? effect::Method::kGet : effect::Method::kPost,
                     std::move(request.path), std::move(request.body), std::move(request.token),
                     request.timeout_ms, request.max_bytes});
  return id;
}

uint64_t Turn::StartImageJob(Data job) {
  const uint64_t id = ++*last_id_;
  Emit(effect::StartImage{id, std::move(job)});
  return id;
}

void Turn::AbortFetch(uint64_t id) { Emit(effect::AbortFetch{id}); }

void Turn::AbortImageJob(uint64_t id) { Emit(effect::AbortImage{id}); }

void Turn::Lock(LeaseName name, LockAction action) { Emit(effect::Lock{name, action}); }

void Turn::NeedToken(TokenNeed why) { Emit(effect::AskToken{why}); }

void Turn::OpenSocket() { Emit(effect::Socket{effect::SocketAction::kOpen, {}}); }

void Turn::SendToSocket(const std::string& text) {
  Emit(effect::Socket{effect::SocketAction::kSend, text});
}

void Turn::CloseSocket() { Emit(effect::Socket{effect::SocketAction::kClose, {}}); }

void Turn::WakeService(Data message) { Emit(effect::WakeService{std::move(message)}); }

void Turn::ShowStatus(const Data& status) { Emit(effect::ShowStatus{status}); }

}  // namespace skerry
