#include "test/sim/database.h"

#include <algorithm>

#include "base/fields.h"
#include "base/json.h"
#include "log/members.h"
#include "model/members.h"
#include "sync/records.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/app_rule.h"
#include "test/sim/server_images.h"

namespace skerry::sim {

Database::Database(const Schema* columns, const test::naive::Names& realms)
    : MemoryDatabase(columns) {
  for (const std::string& realm : realms) AddRealm(realm);
}

Fold Database::FoldOf(const std::string& realm, const std::string& stream) const {
  const auto found = folds_.find({realm, stream});
  return found == folds_.end() ? Fold::kWorks : found->second;
}

void Database::SetFold(const std::string& realm, const std::string& stream, Fold fold) {
  folds_[{realm, stream}] = fold;
}

Data Database::RefusedOf(const Vector<Pushed>& requests) const {
  Data refused = Data::MakeArray();
  for (const auto& [body, author] : requests) {
    const std::map<std::string, std::string> rights = ReadableBy(author);
    for (const Data& update : body["updates"].items()) {
      const bool is_full = std::ranges::any_of(update["ops"].items(), [&](const Data& op) {
        const std::string& realm = op["realm"].as_string();
        if (!op["op"].Is("append") || FoldOf(realm, op["stream"].as_string()) != Fold::kIsFull)
          return false;
        const auto right = rights.find(realm);
        return right != rights.end() && right->second != "read";
      });
      if (!is_full) continue;
      refused.Push(Fields{{"client", body["client"]},
                          {"id", update["id"]},
                          {"code", "limit"},
                          {"detail", "the stream is full"}});
    }
  }
  return refused;
}

Database::Admitted Database::AdmitAll(const Schema& served, const Vector<Pushed>& requests,
                                      const Data& refused, double now, bool has_rule) const {
  Push push;
  push.now = now;
  push.refuse = refused;
  if (has_rule) push.rules = AnswerByAppRule;
  for (const auto& [body, author] : requests) {
    push.requests.push_back({body["client"].as_string(), author.user, body["updates"].items(),
                             GrantsToData(author), body["seen"], body["follows"],
                             body["schema"].as_u64(served.version()) < served.version(),
                             body["sent"]});
  }
  Admitted admitted = Admit(served, push);
  SKERRY_CHECK(admitted.done().is_object());
  return admitted;
}

// Whoever's membership has changed has a new version of rights; not by an invitation that waits.
void Database::Commit(const Schema& served, const Admitted& admitted, uint64_t* serial) {
  MemoryDatabase::Commit(served, admitted);
  const Data& done = admitted.done();
  std::set<std::string> users;
  for (const Data& entry : done["touched"].items()) {
    for (const Data& user : entry["users"].items()) users.insert(user.as_string());
  }
  for (const std::string& user : users)
    user_rights_.Changed(user, std::to_string(++*serial), done["at"].as_number());
}

std::map<std::string, std::string> Database::RolesOf(const std::string& user) const {
  std::map<std::string, std::string> roles;
  for (const auto& [key, stored] : rows()) {
    const bool is_own = key.object.table == columns().members() && !stored.deleted_at &&
                        UserOfMembership(key.realm, key.object.id) == user;
    if (is_own && !IsPending(stored.row)) roles[key.realm] = stored.row.props[kMemberRole].text();
  }
  return roles;
}

Data Database::InvitationsOf(const std::string& user) const {
  Data invitations = Data::MakeArray();
  for (const auto& [key, stored] : rows()) {
    const bool is_own = key.object.table == columns().members() && !stored.deleted_at &&
                        UserOfMembership(key.realm, key.object.id) == user;
    if (!is_own || !IsPending(stored.row)) continue;
    invitations.Push(Fields{{"realm", key.realm},
                            {"role", stored.row.props[kMemberRole].text()},
                            {"by", stored.row.props[kMemberBy].text()},
                            {"at", stored.row.created_at}});
  }
  return invitations;
}

std::map<std::string, std::string> Database::ReadableBy(const Caller& caller) const {
  static const std::map<std::string, std::string> rights = {
      {"reader", "read"}, {"writer", "write"}, {"owner", "own"}};
  std::map<std::string, std::string> readable;
  const Data grants = GrantsToData(caller);
  for (const auto& [realm, right] : grants.members()) {
    if (!IsFoundable(realm) || heads().at(realm).head > 0) readable[realm] = right.as_string();
  }
  for (const auto& [realm, role] : RolesOf(caller.user)) readable[realm] = rights.at(role);
  return readable;
}

Database::Pulled Database::PullText(const Schema& served, const Caller& caller, const Data& request,
                                    const PullLimits& limits, double now,
                                    ServerImages* images) const {
  const std::map<std::string, std::string> readable = ReadableBy(caller);
  const UserRights::Answered answered =
      user_rights_.Answer(*this, caller.user, RolesOf(caller.user), request, readable);
  Data cursors = request["cursors"];
  for (const std::string& realm : answered.lost) cursors.Remove(realm);
  Data asked = request;
  Data realms = Data::MakeObject();
  bool has_new = false;
  for (const auto& [realm, right] : readable) {
    if (Contains(answered.lost, realm)) continue;
    // As if every realm had many members: of those that are new, one comes at a time.
    const bool is_new = IsFoundable(realm) && cursors.Find(realm) == nullptr;
    if (is_new && has_new && limits.bytes > 0) {
      asked.Set("partial", true);
      continue;
    }
    has_new = has_new || is_new;
    const uint64_t rows = images != nullptr && heads().at(realm).head > 0 ? images->rows() : 0;
    realms.Set(realm, HeadOf(realm).Set("rows", rows));
  }
  asked.Set("cursors", std::move(cursors));
  Reads reads;
  reads.page_rows = limits.page_rows;
  reads.snapshot_saves = 2;
  reads.image = [&](const Data& need) { return images->Offer(need, served, *this); };
  for (int attempt = 0;; ++attempt) {
    Data out = Pull(served, asked, realms, now, reads);
    if (out["gone"].as_bool()) return {};
    SKERRY_CHECK(out["answer"].is_object());
    Data answer = out["answer"];
    answer.Set("invitations", InvitationsOf(caller.user));
    if (answered.token) answer.Set("realmsToken", *answered.token);
    if (!answered.lost.empty()) answer.Set("lost", ToData(answered.lost));
    std::string text = WriteJson(answer);
    if (limits.bytes == 0 || text.size() <= limits.bytes || attempt == 3)
      return {std::move(text), answered.owned};
    reads.page_rows = 1;
    for (const auto& [realm, head] : heads()) {
      if (attempt == 0) reads.most_entries[realm] = 1;
      if (attempt == 1) reads.omitted.insert(realm);
    }
    reads.omits_all = attempt == 2;
  }
}

}  // namespace skerry::sim
