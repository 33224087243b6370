// 9 isolation: an answer to a pull tells nothing of a realm that its user may not read at that
// moment, not even its name, but for what the request names. What the user may read is decided by
// the naive server. When all is quiet, a profile holds nothing of realms that its user may not
// read: no row, no record and no image, but for realms that the server has lost.
#include <algorithm>
#include <set>

#include "base/json.h"
#include "log/base.h"
#include "log/codec.h"
#include "log/image.h"
#include "log/stream_record.h"
#include "log/sync_record.h"
#include "sync/records.h"
#include "test/sim/checks.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

using test::naive::May;

bool Names(const std::string& text, const std::string& realm) {
  return text.find('"' + realm + '"') != std::string::npos ||
         text.find('"' + realm + '/') != std::string::npos;
}

class IsolationCheck final : public Check {
 public:
  using Check::Check;

  void Answering(const Caller& caller, const Data& request, const std::string& answer) override {
    if (!world_->has_rights()) return;
    const test::naive::Rights rights =
        world_->checks().naive().RightsOf(caller.user, caller.grants);
    const std::string asked = WriteJson(request);
    const Data parsed = ParseJson(answer).value();
    Data rest = parsed;
    rest.Remove("invitations");
    const std::string said = WriteJson(rest);
    for (const std::string& realm : world_->realms()) {
      const bool is_readable = RightIn(rights, realm) != May::kNothing;
      if (!is_readable && TellsOf(parsed, realm))
        return Fail("9 isolation: an answer to " + caller.user + " tells of " + realm);
      CheckInvitation(caller, parsed["invitations"], realm);
      if (!is_readable && Names(said, realm) && !Names(asked, realm))
        return Fail("9 isolation: an answer to " + caller.user + " names " + realm);
      const bool is_held = request["cursors"].Find(realm) != nullptr;
      const bool is_told = test::ContainsString(parsed["revoked"], realm) ||
                           test::ContainsString(parsed["lost"], realm);
      if (is_readable && test::ContainsString(parsed["revoked"], realm))
        return Fail("9 isolation: a wrong revocation of " + realm + " for " + caller.user);
      if (is_held && !is_readable && !is_told)
        return Fail("9 isolation: no revocation of " + realm + " for " + caller.user);
      if (test::ContainsString(parsed["revoked"], realm)) world_->Count("pull: revoked");
      if (test::ContainsString(parsed["lost"], realm)) world_->Count("pull: lost");
    }
  }

  void End() override {
    if (!world_->has_rights()) return;
    for (const auto& profile : world_->profiles()) {
      const test::naive::Rights rights = world_->checks().RightsOf(*profile);
      const SyncRecord sync = SyncRecord::Read(profile->storage.Get("sync", "sync"));
      for (const std::string& realm : world_->realms()) {
        const bool is_lost = sync.lost.has_value() && Contains(*sync.lost, realm);
        if (RightIn(rights, realm) != May::kNothing || is_lost) continue;
        const std::string where = HolderOf(*profile, realm);
        if (!where.empty())
          return Fail("9 isolation: " + where + " of " + profile->user + " holds " + realm);
      }
    }
  }

 private:
  // An invitation is in the answer if, and only if, it waits.
  void CheckInvitation(const Caller& caller, const Data& told, const std::string& realm) {
    const bool is_invited = test::naive::CanHaveMembers(realm) &&
                            world_->checks().naive().IsInvited(realm, caller.user);
    const auto& items = told.items();
    const bool is_told = std::any_of(items.begin(), items.end(), [&](const Data& item) {
      return item["realm"].as_string() == realm;
    });
    if (is_told) world_->Count("pull: invited");
    if (is_told != is_invited)
      Fail("9 isolation: an invitation of " + caller.user + " to " + realm);
  }

  static bool TellsOf(const Data& answer, const std::string& realm) {
    if (answer["cursors"].Find(realm) != nullptr) return true;
    for (const char* list : {"changes", "images", "streams"}) {
      for (const Data& item : answer[list].items()) {
        if (item["realm"].as_string() == realm) return true;
      }
    }
    for (const Data& page : answer["pages"].items()) {
      for (const Data& row : page["rows"].items()) {
        if (row["realm"].as_string() == realm) return true;
      }
    }
    return false;
  }

  // What holds rows of the realm; empty: nothing.
  std::string HolderOf(const Profile& profile, const std::string& realm) const {
    for (const auto& [key, record] : const_cast<Profile&>(profile).storage.store("updates")) {
      if (HasRowsIn(profile, record, realm)) return "a record";
    }
    const KeyRange keys = KeysOfRealm(realm);
    for (const char* store : {"actions", "streams"}) {
      if (!profile.storage.Between(store, keys.from.data(), keys.to.data()).empty())
        return std::string("the store ") + store;
    }
    for (const auto& [mount, image] : profile.images) {
      for (const auto& [name, bytes] : image.files) {
        Base base(&SchemaOf(profile.release));
        if (!LoadImage(bytes, &base).ok()) continue;  // a fault has damaged it
        for (const TableDef& table : SchemaOf(profile.release).tables()) {
          for (const auto& [id, of] : base.BaseKeys(table.index)) {
            if (of == realm) return "an image";
          }
        }
      }
    }
    return {};
  }

  static bool HasRowsIn(const Profile& profile, const Data& record, const std::string& realm) {
    const auto steps = DecodeSteps(SchemaOf(profile.release), record["body"].as_bytes());
    if (!steps.ok()) return false;
    for (const Step& step : steps.value()) {
      const bool is_row = step.change.realm == realm && HasContent(step.change.kind);
      if (is_row || (step.kind == StepKind::kOwnOps && step.realm == realm)) return true;
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Check> MakeIsolationCheck(World* world) {
  return std::make_unique<IsolationCheck>(world);
}

}  // namespace skerry::sim
