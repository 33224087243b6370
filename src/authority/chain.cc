#include "authority/chain.h"

#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

bool IsFull(const ChainRow& row) {
  return row.refused.size() >= kMaxRefusalsInARow || row.refused_bytes >= kMaxRefusedBytes;
}

}  // namespace

void Chains::Load(std::string realm, std::string client, ChainRow row) {
  row.refused_bytes = 0;
  for (const auto& [id, answer] : row.refused) row.refused_bytes += WriteJson(answer).size();
  rows_[{std::move(realm), std::move(client)}] = std::move(row);
}

void Chains::LoadApplied(std::string client, std::string id, Data answer) {
  applied_[{std::move(client), std::move(id)}] = std::move(answer);
}

ChainVerdict Chains::Judge(const std::string& client, const std::string& id,
                           const ByRealm<Link>& after, bool is_oldest, const Data** answer) const {
  if (const auto applied = applied_.find({client, id}); applied != applied_.end()) {
    *answer = &applied->second;
    return ChainVerdict::kDuplicate;
  }
  bool is_unknown = false, is_past = false, fits = true, is_full = false;
  for (const auto& [realm, link] : after) {
    const auto row = rows_.find({realm, client});
    if (row == rows_.end()) {
      is_unknown = is_unknown || link.seq != 0;
      fits = fits && link == Link{};
      continue;
    }
    for (const auto& [refused, result] : row->second.refused) {
      if (refused != id) continue;
      *answer = &result;
      return ChainVerdict::kRefused;
    }
    is_past = is_past || link.seq < row->second.last.seq;
    is_full = is_full || IsFull(row->second);
    fits = fits && link == row->second.last;
  }
  if (is_past) return ChainVerdict::kForked;
  if (is_unknown && is_oldest) return ChainVerdict::kUnknownClient;
  if (!fits) return ChainVerdict::kHeld;
  return is_full ? ChainVerdict::kForked : ChainVerdict::kAdmit;
}

void Chains::Advance(const std::string& client, const std::string& id, const ByRealm<Link>& after,
                     Data answer) {
  for (const auto& [realm, link] : after) {
    ChainRow& row = rows_[{realm, client}];
    row.last = {link.seq + 1, id};
    row.refused.clear();
    row.refused_bytes = 0;
    row.changed = true;
  }
  LoadApplied(client, id, std::move(answer));
}

void Chains::Refuse(const std::string& client, const std::string& id, const std::string& realm,
                    const Data& answer) {
  ChainRow& row = rows_[{realm, client}];
  row.refused.emplace_back(id, answer);
  row.refused_bytes += WriteJson(answer).size();
  row.changed = true;
}

}  // namespace skerry
