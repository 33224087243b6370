// Server: its log and chains, what it forgets of them, and what it can no longer know then
// (docs/design.md, "Compaction").
#include <algorithm>
#include <set>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

std::optional<Result> Server::ChainAnswer(const Update& update, bool is_oldest) const {
  const auto applied = applied_.find(update.id);
  if (applied != applied_.end() && IsRemembered(applied->second))
    return Result{"duplicate", {}, {}, {}};
  bool past = false, fits = true, unknown = false;
  for (const auto& [realm, link] : update.after) {
    const auto chain = chains_.find({realm, update.client});
    const Link last = chain == chains_.end() ? Link{} : chain->second.last;
    if (chain != chains_.end() && !broken_.contains(Break::kForgetRefusals)) {
      const auto refused = chain->second.refused.find(update.id);
      if (refused != chain->second.refused.end()) return refused->second;
    }
    unknown = unknown || (chain == chains_.end() && link.seq > 0);
    past = past || link.seq < last.seq;
    fits =
        fits && (link == last || (broken_.contains(Break::kSeqWithoutId) && link.seq == last.seq));
  }
  if (past) return Result{"forked", {}, {}, {}};
  if (unknown && is_oldest) return Result{"unknown_client", {}, {}, {}};
  if (!fits) return Result{"held", {}, {}, {}};
  return std::nullopt;
}

void Server::Log(const Update& update, double at) {
  for (const std::string& realm : realms_) {
    const bool declared = update.after.contains(realm);
    if (!declared && rows_[realm] == states_[realm].back()) continue;
    Entry entry{at, update.client, update.id, {}, {}, declared};
    if (declared) {
      entry.seq = update.after.at(realm).seq + 1;
      applied_[update.id][realm] = head(realm) + 1;
      entry.actions = update.actions;
      for (const Op& op : update.ops) {
        const bool is_vain = op.op == "append" && !op.of.empty() && !IsDone(update, op);
        if (op.realm == realm && !is_vain) entry.ops.push_back(op);
      }
      for (const std::string& action : update.actions) {
        if (!vain_.contains(action)) actions_[action][realm] = head(realm) + 1;
      }
    }
    log_[realm].push_back(std::move(entry));
    states_[realm].push_back(rows_[realm]);
  }
  for (const auto& [realm, link] : update.after) {
    Chain& chain = chains_[{realm, update.client}];
    chain.last = {link.seq + 1, update.id};
    chain.refused.clear();
    Heed(update, realm, &chain);
  }
}

Vector<std::string> Server::StreamOf(const std::string& realm, const std::string& stream,
                                     uint64_t upto) const {
  Vector<std::string> actions;
  for (uint64_t i = 0; i < std::min<uint64_t>(upto, head(realm)); ++i) {
    for (const Op& op : log(realm)[i].ops) {
      if (op.stream == stream && !stream.empty()) actions.push_back(*op.by.begin());
    }
  }
  return actions;
}

uint64_t Server::FloorOf(const std::string& realm) const {
  const auto floor = floors_.find(realm);
  return floor == floors_.end() ? 0 : floor->second;
}

// An entry stays if somebody may ask for it: the first says who founded the realm, the one at the
// floor proves cursors, and the client of an update may not have its answer.
void Server::Forget(const std::string& realm, uint64_t floor) {
  floors_[realm] = floor;
  for (uint64_t revision = 2; revision < floor; ++revision) {
    Entry& entry = log_.at(realm)[revision - 1];
    const auto chain = chains_.find({realm, entry.client});
    const uint64_t seen = chain == chains_.end() ? 0 : chain->second.seen;
    const bool is_unseen = entry.declared && entry.seq > seen;
    entry.is_forgotten = !is_unseen || broken_.contains(Break::kForgetOutcomes);
  }
}

void Server::Heed(const Update& update, const std::string& realm, Chain* chain) {
  const auto seen = update.seen.find(realm);
  if (seen != update.seen.end()) chain->seen = std::max(chain->seen, seen->second);
}

bool Server::IsRemembered(const Places& places) const {
  return std::any_of(places.begin(), places.end(), [&](const auto& place) {
    return !log_.at(place.first)[place.second - 1].is_forgotten;
  });
}

// Whether an action of the update may have come here before, when the log was another one: the client
// had another identity, or it was made elsewhere.
bool Server::MayBeForgotten(const Update& update) const {
  const auto since = since_.find(update.client);
  for (const auto& [action, made] : update.made) {
    const bool is_replayed = update.replayed.contains(action);
    const bool follows = update.follows || update.again.contains(action) ||
                         (since != since_.end() && made < since->second);
    for (const auto& [realm, link] : update.after) {
      const uint64_t floor = FloorOf(realm);
      if (floor == 0) continue;
      const auto base = update.base.find(realm);
      if (follows && (base == update.base.end() || base->second < floor)) return true;
      if (is_replayed && made <= log_.at(realm)[floor - 1].at) return true;
    }
  }
  return false;
}

// Whether the object was in the realm, and the realm still knows.
bool Server::WasThere(const Place& place) const {
  const auto left = left_.find(place);
  if (left != left_.end() && left->second > FloorOf(place.first)) return true;
  const Vector<Rows>& states = states_.at(place.first);
  for (uint64_t revision = FloorOf(place.first); revision < states.size(); ++revision) {
    if (states[revision].contains(place.second)) return true;
  }
  return false;
}

// A change of an object of which the realm no longer knows what became of it.
bool Server::IsOnForgotten(const Op& op, const Update& update) const {
  const bool is_change = op.op == "update" || op.op == "inc" || op.op == "move";
  const auto base = update.base.find(op.realm);
  return is_change && base != update.base.end() && base->second < FloorOf(op.realm) &&
         !WasThere({op.realm, op.key});
}

}  // namespace skerry::test::naive
