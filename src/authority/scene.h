// Scene: what the rules see while they judge one update, step by step: the rows, the realms, and the
// rights of the author.
#ifndef SKERRY_AUTHORITY_SCENE_H_
#define SKERRY_AUTHORITY_SCENE_H_

#include <cstdint>
#include <string>

#include "authority/working_set.h"
#include "base/map.h"
#include "model/schema.h"

namespace skerry {

struct RealmState {
  bool exists = false;
  uint64_t head = 0;
  double head_at = 0;
  // Of what the log has forgotten: its last revision, and the time of that.
  uint64_t floor = 0;
  double floor_at = 0;
  double given_back = 0;  // when it was given rows last of a history that was lost; 0: never
};
class AppRules;
enum class Right { kNone, kRead, kWrite, kOwn };

// What the author may do with a row in the realm where it lives. kInvited: accept or decline the own
// membership, and see nothing. kNotLocked: not known until that realm is locked.
enum class Access { kHidden, kInvited, kReadOnly, kWritable, kNotLocked };

struct Scene {
  const Schema* schema = nullptr;
  WorkingSet* rows = nullptr;
  const Map<std::string, RealmState>* realms = nullptr;
  const Map<std::string, Right>* rights = nullptr;  // of the request, but for memberships
  Set<std::string>* locks = nullptr;                // realms that must be locked before a decision
  std::string client;
  double at = 0;
  std::string user = {};
  bool asks_consent = true;        // memberships that others make wait until they are accepted
  Set<std::string> founding = {};  // realms that the step that is judged founds
  Set<std::string> founded = {};   // realms that earlier steps of the update have founded
  AppRules* app_rules = nullptr;  // of the application; null: there are none, or they are not asked
  bool may_all = false;     // in nobody's name: what other programs have written is followed up
  Set<uint32_t> vain = {};  // earlier actions of the update that undo what the log does not have

  // What the author might do before this step: by a membership, or by the request's other rights.
  // Asks for the row of the membership if it is not loaded.
  Right RightIn(const std::string& realm) const;
  // Whether the author's membership waits to be accepted, and nothing else gives a right.
  bool IsInvited(const std::string& realm) const;
  // Whether there is such a realm. A realm that is named by a UUID exists once it was founded.
  bool Exists(const std::string& realm, const RealmState& state) const;
  // Asks for the lock of the realm if it is missing and the result depends on it.
  Access AccessIn(const std::string& realm) const {
    const Right right = RightIn(realm);
    const bool is_invited = right == Right::kNone && IsInvited(realm);
    if (right == Right::kNone && !is_invited) return Access::kHidden;
    const auto state = realms->find(realm);
    if (state == realms->end()) {
      locks->insert(realm);
      return Access::kNotLocked;
    }
    if (!Exists(realm, state->second)) return Access::kHidden;
    if (is_invited) return Access::kInvited;
    return right == Right::kRead ? Access::kReadOnly : Access::kWritable;
  }
  // Whether the author may know what is in the realm. If it is not locked, this is only a guess.
  bool MaySee(const std::string& realm) const {
    const Access access = AccessIn(realm);
    return access != Access::kHidden && access != Access::kInvited;
  }
  // The live row that an op on `key` is about: the one there, or the one to which the tombstone
  // there leads, as far as the author may read. `key` is then where it is. Null: there is none. If
  // a realm is not locked, its lock is asked for, and the result is only a guess.
  const Row* Locate(PlacedKey* key) const;
  // Whether the log has forgotten something that came after the revision in the realm.
  bool HasForgottenSince(const std::string& realm, uint64_t revision) const {
    const auto state = realms->find(realm);
    return state != realms->end() && revision < state->second.floor;
  }
  // The revision that this update's entry has, or would have, in the realm.
  uint64_t NextRevision(const std::string& realm) const {
    const auto state = realms->find(realm);
    return state == realms->end() ? 0 : state->second.head + 1;
  }

 private:
  // The author's membership before this step, or null.
  const Row* Membership(const std::string& realm) const;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_SCENE_H_
