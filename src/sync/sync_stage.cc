#include "sync/sync_stage.h"

#include <type_traits>

#include "base/status.h"
#include "base/visit.h"

namespace skerry {
namespace {

template <typename... Stages>
consteval bool InOrderOfSteps(std::type_identity<std::variant<Stages...>>) {
  size_t index = 0;
  return ((static_cast<size_t>(Stages::kStep) == index++) && ...);
}
static_assert(InOrderOfSteps(std::type_identity<SyncStage>()));

}  // namespace

bool ValidTransition(SyncStep from, SyncStep to) {
  switch (to) {
    case SyncStep::kNone:
      return from != SyncStep::kNone;
    case SyncStep::kPullAsk:
    case SyncStep::kPushAsk:
    case SyncStep::kCheck:
      return from == SyncStep::kNone;
    case SyncStep::kPullFetch:
      return from == SyncStep::kPullAsk;
    case SyncStep::kPullStates:
      return from == SyncStep::kPullFetch;
    case SyncStep::kPullFold:
      return from == SyncStep::kPullFetch || from == SyncStep::kPullStates;
    case SyncStep::kRefill:
      return from == SyncStep::kPullAsk || from == SyncStep::kPullFetch;
    case SyncStep::kPushFetch:
    case SyncStep::kQuarantine:
      return from == SyncStep::kPushAsk;
    case SyncStep::kPushAnswer:
      return from == SyncStep::kPushFetch || from == SyncStep::kPullFetch;
  }
  return false;
}

bool ValidTransition(FillStep from, FillStep to) {
  switch (to) {
    case FillStep::kNone:
      return from != FillStep::kNone;
    case FillStep::kEnter:
      return from == FillStep::kNone;
    case FillStep::kFetch:
      return from == FillStep::kEnter;
    case FillStep::kPublish:
      return from == FillStep::kFetch;
  }
  return false;
}

void Fill::Move(FillStep to) {
  SKERRY_CHECK(ValidTransition(step, to));
  step = to;
}

void Fill::End() {
  Move(FillStep::kNone);
  *this = {};
}

FencedTransaction* TransactionOf(SyncStage* stage) {
  TransactionStage* found = PartOf<TransactionStage>(stage);
  return found == nullptr ? nullptr : &found->transaction;
}

RequestStage* RequestOf(SyncStage* stage) { return PartOf<RequestStage>(stage); }

uint64_t InFlight(const SyncStage& stage) {
  return std::visit(
      []([[maybe_unused]] const auto& at) -> uint64_t {
        if constexpr (requires { at.transaction.id(); }) {
          return at.transaction.id();
        } else if constexpr (requires { at.transaction; }) {
          return at.transaction;
        } else if constexpr (requires { at.fetch; }) {
          return at.fetch;
        }
        return 0;
      },
      stage);
}

}  // namespace skerry
