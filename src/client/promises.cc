#include "client/promises.h"

#include "base/fields.h"

namespace skerry {
namespace {

void Settle(std::string_view id, const char* stage, std::string_view code, std::string_view detail,
            bool retryable, Data* effects) {
  Data error;
  if (!code.empty()) {
    error = Fields{{"code", code}, {"detail", detail}, {"retryable", retryable}};
  }
  effects->Push(
      Fields{{"type", "settle"}, {"id", id}, {"stage", stage}, {"error", std::move(error)}});
}

}  // namespace

void Promises::Track(std::string_view id) { open_.emplace(std::string(id), Stages{}); }

void Promises::Durable(std::string_view id, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.durable) return;
  it->second.durable = true;
  Settle(id, "durable", {}, {}, false, effects);
}

void Promises::Pushed(std::string_view id, std::string_view code, std::string_view detail,
                      Data* effects) {
  Durable(id, effects);
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.pushed) return;
  it->second.pushed = true;
  Settle(id, "pushed", code, detail, false, effects);
}

void Promises::Confirmed(std::string_view id, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  // For the caller, this settles the earlier stages, too.
  Settle(id, "confirmed", {}, {}, false, effects);
  open_.erase(it);
}

void Promises::Refused(std::string_view id, std::string_view code, std::string_view detail,
                       Data* effects) {
  Pushed(id, code, detail, effects);
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  Settle(id, "confirmed", code, detail, false, effects);
  open_.erase(it);
}

void Promises::Withdrawn(std::string_view id, std::string_view code, std::string_view detail,
                         Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  if (!it->second.durable) Settle(id, "durable", code, detail, true, effects);
  if (!it->second.pushed) Settle(id, "pushed", code, detail, true, effects);
  Settle(id, "confirmed", code, detail, true, effects);
  open_.erase(it);
}

}  // namespace skerry
