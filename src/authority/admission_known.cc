// Admission: which actions are in the log already, and which may have been in what is forgotten of it, or
// lost with a history and given back.
// Of a realm that is hidden from the author neither is said.
#include "authority/admission.h"
#include "base/limits.h"

namespace skerry {

KnownActions Admission::FindKnown(const Request& request, const Pushed& pushed) {
  const Scene scene = SceneOf(request);
  KnownActions known;
  for (const Action& action : pushed.update->actions) {
    for (const auto& [realm, link] : pushed.after) {
      if (scene.RightIn(realm) == Right::kNone) continue;
      const auto found = known_actions_.find({realm, action.id});
      if (found != known_actions_.end()) known[action.id][realm] = found->second;
    }
  }
  return known;
}

// An action came into the log after the revision on which it is based. So it is forgotten only if
// that one is below the floor; one that was made elsewhere is based on nothing, and has its time.
Vector<Rejection> Admission::FindForgotten(const Request& request, const Update& update) {
  const Scene scene = SceneOf(request);
  Vector<Rejection> forgotten;
  for (uint32_t i = 0; i < update.actions.size(); ++i) {
    const Action& action = update.actions[i];
    const bool follows = request.follows.is_said || action.is_again ||
                         action.at < request.follows.since.value_or(-kMaxTimeMs);
    if (!follows && !action.is_replayed) continue;
    for (const auto& [realm, link] : update.after) {
      const auto state = input_.realms.find(realm);
      if (state == input_.realms.end() || state->second.floor == 0) continue;
      if (scene.RightIn(realm) == Right::kNone) continue;
      const bool is_below = BaseIn(update, realm).value_or(0) < state->second.floor;
      const bool is_older = action.is_replayed && action.at <= state->second.floor_at;
      if (!(follows && is_below) && !is_older) continue;
      forgotten.push_back(OutcomeUnknown("the log of that time is forgotten"));
      forgotten.back().action = i;
      break;
    }
  }
  return forgotten;
}

// Rows that clients give back to a restored server have the effects of actions that its log does not have (docs/design.md,
// "Another history"). An `inc` among these would count twice. It is not among them if its client knew a
// later time of the server's when it sent it first.
Vector<Rejection> Admission::FindCounted(const Request& request, const Update& update) {
  const Scene scene = SceneOf(request);
  const auto sent = request.sent.find(update.id);
  Set<uint32_t> places;
  for (const Op& op : update.ops) {
    if (op.add.empty()) continue;
    const auto state = input_.realms.find(op.realm);
    if (state == input_.realms.end()) continue;
    const double given_back = state->second.given_back;
    if (given_back == 0 || scene.RightIn(op.realm) == Right::kNone) continue;
    for (const uint32_t place : op.by) {
      const Action& action = update.actions[place];
      const bool was_sent = sent != request.sent.end() && sent->second < given_back;
      const bool is_older = action.is_replayed && action.at <= given_back;
      if (was_sent || action.is_again || is_older) places.insert(place);
    }
  }
  Vector<Rejection> counted;
  for (const uint32_t place : places) {
    counted.push_back(OutcomeUnknown("what was given back to the restored server may have it"));
    counted.back().action = place;
  }
  return counted;
}

}  // namespace skerry
