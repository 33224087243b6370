#include "client/promises.h"

#include "client/effect.h"

namespace skerry {
namespace {

void Settle(std::string_view id, Stage stage, std::string_view code, std::string_view detail,
            bool retryable, Data* effects) {
  effects->Push(SettleEffect(id, stage, code, detail, retryable));
}

}  // namespace

void Promises::Track(std::string_view id) { open_.emplace(std::string(id), Stages{}); }

void Promises::Durable(std::string_view id, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.durable) return;
  it->second.durable = true;
  Settle(id, Stage::kDurable, {}, {}, false, effects);
}

void Promises::Pushed(std::string_view id, std::string_view code, std::string_view detail,
                      Data* effects) {
  Durable(id, effects);
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.pushed) return;
  it->second.pushed = true;
  Settle(id, Stage::kPushed, code, detail, false, effects);
}

void Promises::Confirmed(std::string_view id, Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  // For the caller, this settles the earlier stages, too.
  Settle(id, Stage::kConfirmed, {}, {}, false, effects);
  open_.erase(it);
}

void Promises::Refused(std::string_view id, std::string_view code, std::string_view detail,
                       Data* effects) {
  Pushed(id, code, detail, effects);
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  Settle(id, Stage::kConfirmed, code, detail, false, effects);
  open_.erase(it);
}

void Promises::Withdrawn(std::string_view id, std::string_view code, std::string_view detail,
                         Data* effects) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  if (!it->second.durable) Settle(id, Stage::kDurable, code, detail, true, effects);
  if (!it->second.pushed) Settle(id, Stage::kPushed, code, detail, true, effects);
  Settle(id, Stage::kConfirmed, code, detail, true, effects);
  open_.erase(it);
}

}  // namespace skerry
