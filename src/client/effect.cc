#include "client/effect.h"

#include <utility>

#include "base/fields.h"

namespace skerry {
namespace {

const char* NameOf(WindowTimer timer) { return kWindowTimers[static_cast<uint8_t>(timer)]; }

Data Notify(const char* kind) { return Fields{{"type", "notify"}, {"kind", kind}}; }

}  // namespace

void Broadcast(const void* message, ListMembers list, const char* type, Data* effects) {
  effects->Push(BroadcastEffect(WriteMembers(message, list, nullptr, type)));
}

void Post(const void* message, ListMembers list, const char* type, Data* effects) {
  effects->Push(PostEffect(WriteMembers(message, list, nullptr, type)));
}

Data TimerEffect(WindowTimer timer, double delay_ms) {
  return TimerEffect(NameOf(timer), delay_ms);
}

Data CancelEffect(WindowTimer timer) { return CancelEffect(NameOf(timer)); }

Data LoadImageEffect(const ImagePointer& pointer) {
  return Fields{{"type", "loadImage"},
                {"generation", pointer.generation},
                {"mount", ToData(pointer.mount)},
                {"parts", ToData(pointer.parts)}};
}

Data ReadyEffect() { return Fields{{"type", "ready"}}; }

Data OpenFailedEffect(const HostError& error) {
  return Fields{{"type", "openFailed"}, {"error", ToData(error)}};
}

Data ProblemEffect(const Status& status, const WantedScope* scope) {
  Data effect = Fields{
      {"type", "problem"}, {"code", static_cast<int>(status.code())}, {"detail", status.detail()}};
  if (scope != nullptr) effect.Set("scope", ToData(*scope));
  return effect;
}

Data StorageFailedEffect(const HostError& error) {
  Data effect = Notify("storageFailed");
  effect.Set("error", ToData(error));
  return effect;
}

Data StorageRecoveredEffect() { return Notify("storageRecovered"); }

Data DataLostEffect(const char* detail) {
  Data effect = Notify("dataLost");
  effect.Set("detail", detail);
  return effect;
}

Data UpdateNeededEffect() {
  Data effect = Notify("updateNeeded");
  effect.Set("reason", "newer-tab");
  return effect;
}

Data KeepEffect(Data records) { return Fields{{"type", "keep"}, {"records", std::move(records)}}; }

Data SettleEffect(std::string_view id, Stage stage, std::string_view code, std::string_view detail,
                  bool retryable) {
  static constexpr const char* kStages[] = {"durable", "pushed", "confirmed"};
  Data error;
  if (!code.empty()) {
    error = Fields{{"code", code}, {"detail", detail}, {"retryable", retryable}};
  }
  return Fields{{"type", "settle"},
                {"id", id},
                {"stage", kStages[static_cast<uint8_t>(stage)]},
                {"error", std::move(error)}};
}

Data StreamPageEffect(uint64_t id, Data actions, uint64_t floor, std::string_view code) {
  Data effect = Fields{{"type", "streamPage"}, {"id", id}, {"actions", std::move(actions)}};
  effect.Set("floor", floor);
  return effect.Set("error", code.empty() ? Data() : Data(code));
}

Data ConflictsEffect(Data items) {
  return Fields{{"type", "conflicts"}, {"items", std::move(items)}};
}

Data ResolvedEffect(uint64_t entry, const char* code, std::string_view detail) {
  Data error;
  if (*code != '\0') error = Fields{{"code", code}, {"detail", detail}};
  return Fields{{"type", "resolved"}, {"id", entry}, {"error", std::move(error)}};
}

}  // namespace skerry
