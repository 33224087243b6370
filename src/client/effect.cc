#include "client/effect.h"

#include <utility>

namespace skerry {
namespace {

std::optional<effect::Failure> FailureOf(std::string_view code, std::string_view detail,
                                         bool retryable) {
  if (code.empty()) return std::nullopt;
  return effect::Failure{std::string(code), std::string(detail), retryable};
}

}  // namespace

void Broadcast(const void* message, ListMembers list, const char* type, Data* effects) {
  effects->Push(BroadcastEffect(WriteMembers(message, list, nullptr, type)));
}

void Post(const void* message, ListMembers list, const char* type, Data* effects) {
  effects->Push(PostEffect(WriteMembers(message, list, nullptr, type)));
}

Data TimerEffect(WindowTimer timer, double delay_ms) {
  return WriteKind(effect::SetWindowTimer{timer, delay_ms});
}

Data CancelEffect(WindowTimer timer) { return WriteKind(effect::CancelWindowTimer{timer}); }

Data LoadImageEffect(const ImagePointer& pointer) {
  return WriteKind(effect::LoadImage{pointer.generation, pointer.mount, pointer.parts});
}

Data ReadyEffect() { return WriteKind(effect::Ready()); }

Data OpenFailedEffect(const HostError& error) { return WriteKind(effect::OpenFailed{error}); }

Data ProblemEffect(const Status& status, const WantedScope* scope) {
  effect::Problem problem{static_cast<uint64_t>(status.code()), status.detail(), {}};
  if (scope != nullptr) problem.scope = *scope;
  return WriteKind(problem);
}

Data StorageFailedEffect(const HostError& error) { return WriteKind(effect::StorageFailed{error}); }

Data StorageRecoveredEffect() { return WriteKind(effect::StorageRecovered()); }

Data DataLostEffect(const char* detail) { return WriteKind(effect::DataLost{detail}); }

Data UpdateNeededEffect() { return WriteKind(effect::UpdateNeeded()); }

Data KeepEffect(Data records) { return WriteKind(effect::Keep{std::move(records)}); }

Data SettleEffect(std::string_view id, Stage stage, std::string_view code, std::string_view detail,
                  bool retryable) {
  return WriteKind(effect::Settle{std::string(id), stage, FailureOf(code, detail, retryable)});
}

Data StreamPageEffect(uint64_t id, Data actions, uint64_t floor, std::string_view code) {
  effect::StreamPage page{id, std::move(actions), floor, {}};
  if (!code.empty()) page.error = code;
  return WriteKind(page);
}

Data ValidateEffect(bool all, Vector<NamedRow> rows) {
  return WriteKind(effect::Validate{all, std::move(rows)});
}

Data UndoEffect(const UndoStep* undo, const UndoStep* redo) {
  const auto shown = [](const UndoStep* step) -> std::optional<ShownAction> {
    if (step == nullptr) return std::nullopt;
    const Action& made = step->made;
    return ShownAction{made.id, made.name, made.arg, made.at};
  };
  return WriteKind(effect::Undo{shown(undo), shown(redo)});
}

Data ConflictsEffect(Vector<ShownConflict> entries) {
  return WriteKind(effect::Conflicts{std::move(entries)});
}

Data ResolvedEffect(uint64_t entry, const char* code, std::string_view detail) {
  return WriteKind(effect::Resolved{entry, FailureOf(code, detail, false)});
}

Data ComparedEffect(const effect::Compared& compared) { return WriteKind(compared); }

Data OfferEffect(std::string path, std::string request) {
  return WriteKind(effect::Offer{std::move(path), std::move(request)});
}

Data MendedEffect(Vector<NamedRow> rows) { return WriteKind(effect::Mended{std::move(rows)}); }

}  // namespace skerry
