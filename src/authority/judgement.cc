#include "authority/judgement.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "authority/app_rules.h"
#include "authority/cascade.h"
#include "authority/membership.h"
#include "authority/restore.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/fold.h"
#include "log/ref_closure.h"
#include "model/members.h"

namespace skerry {
namespace {

class Judging {
 public:
  Judging(Scene* scene, const Update& update, const Places& places)
      : scene_(*scene), update_(update), places_(places) {
    scene_.founding.clear();
    for (const uint32_t place : places_) {
      const std::string& realm = update_.ops[place].realm;
      if (Founds(scene_, update_.ops[place])) scene_.founding.insert(realm);
    }
  }

  Judgement Run() {
    CheckRealms();
    // Nothing of a forbidden realm is looked at, so that the answer cannot depend on it.
    if (!judgement_.rejections.empty()) return std::move(judgement_);
    for (const uint32_t place : places_) Fold(place, update_.ops[place]);
    Cascade cascade(&scene_, last_op_);
    cascade.Run();
    for (const Rejection& violation : cascade.violations()) {
      judgement_.rejections.push_back(violation);
    }
    CheckRows(cascade);
    CheckOwners(cascade);
    AskAppRules(cascade);
    ReportDeletedWithParent(cascade);
    judgement_.touched = cascade.touched();
    return std::move(judgement_);
  }

 private:
  void Refuse(std::optional<uint32_t> op, const char* code, std::string detail) {
    judgement_.rejections.push_back({op, code, std::move(detail)});
  }

  void CheckRealms() {
    Set<std::string> realms;
    for (const uint32_t place : places_) {
      const Op& op = update_.ops[place];
      realms.insert(op.realm);
      if (op.Has(kMoves)) realms.insert(op.to);
    }
    Set<std::string> forbidden;
    for (const std::string& realm : realms) {
      const Access access = scene_.AccessIn(realm);
      const bool is_allowed = access == Access::kWritable ||
                              (access == Access::kReadOnly && OnlyLeaves(realm)) ||
                              (access == Access::kInvited && OnlyAnswers(realm));
      if (!is_allowed) forbidden.insert(realm);
    }
    if (forbidden.empty()) return;
    for (const uint32_t place : places_) {
      const Op& op = update_.ops[place];
      if (!forbidden.contains(op.realm) && !forbidden.contains(op.to)) continue;
      judgement_.rejections.push_back(ForbiddenRealm(place));
    }
  }

  // Whether all that the step does in the realm is to leave it.
  bool OnlyLeaves(const std::string& realm) const {
    return AllIn(realm, [&](const Op& op) { return IsLeave(*scene_.schema, op, scene_.user); });
  }

  // Or to accept or decline an invitation.
  bool OnlyAnswers(const std::string& realm) const {
    return AllIn(realm, [&](const Op& op) {
      return IsLeave(*scene_.schema, op, scene_.user) ||
             IsAcceptance(*scene_.schema, op, scene_.user);
    });
  }

  template <typename Test>
  bool AllIn(const std::string& realm, Test passes) const {
    return std::all_of(places_.begin(), places_.end(), [&](uint32_t place) {
      const Op& op = update_.ops[place];
      return (op.realm != realm && op.to != realm) || passes(op);
    });
  }

  // Folds one op into its row, in the realm where the row lives now.
  void Fold(uint32_t index, const Op& op) {
    if (!op.Has(kOnRow)) {
      if (!op.of.empty()) MayUndo(index, op);
      return;
    }
    if (op.table == scene_.schema->members()) {
      if (std::optional<Rejection> wrong = FaultOfMembership(scene_, op, index)) {
        judgement_.rejections.push_back(std::move(*wrong));
        return;
      }
    }
    if (!op.of.empty() && !MayUndo(index, op)) return;
    PlacedKey key{op.realm, op.key()};
    const Row* row = scene_.Locate(&key);
    if (op.Has(kRestores) && !row) return Restore(index, op, key);
    const bool is_read_only = row && scene_.AccessIn(key.realm) == Access::kReadOnly;
    if (is_read_only && !IsLeave(*scene_.schema, op, scene_.user)) {
      judgement_.rejections.push_back(ForbiddenRealm(index));
      return;
    }
    // What was deleted since the realm exists again stays deleted.
    if (!row && op.Has(kOnlyNew) && scene_.rows->WasThere(key)) {
      judgement_.noops.push_back(index);
      return;
    }
    // A change of an object that was there: what became of it is forgotten, if it was deleted, or
    // moved to another realm.
    if (!row && !op.Has(kCreates) && !op.Has(kDeletes) && !scene_.rows->WasThere(key) &&
        scene_.HasForgottenSince(op.realm, BaseIn(update_, op.realm).value_or(UINT64_MAX))) {
      judgement_.rejections.push_back(
          OutcomeUnknown("the outcome for the object is no longer known"));
      judgement_.rejections.back().op = index;
      return;
    }
    if (!row && IsEdit(op)) judgement_.missing.push_back(index);
    if (row && op.if_revision && !HoldsIf(key, *row, *op.if_revision)) {
      Refuse(index, "changed", "the object was changed by another client since");
      return;
    }
    Op landed = op;
    landed.realm = key.realm;
    std::optional<Row> folded = row ? std::optional<Row>(*row) : std::nullopt;
    const bool moves = op.Has(kMoves);
    // An undo does not take along what others have moved on.
    const bool stays =
        moves && (landed.to == landed.realm || (!op.of.empty() && landed.realm != op.realm));
    const FoldStamp stamp{scene_.at, scene_.NextRevision(moves ? landed.to : landed.realm)};
    if (stays || !FoldOp(*scene_.schema, landed, stamp, FoldTarget::kView, &folded)) {
      judgement_.noops.push_back(index);
      return;
    }
    if (!row && op.table == scene_.schema->members()) Invite(scene_, op, &*folded);
    last_op_[key] = index;
    if (moves) {
      Move(index, key, std::move(*folded));
    } else if (folded) {
      scene_.rows->Put(key.object, std::move(*folded));
    } else {
      scene_.rows->Erase(key, scene_.at, stamp.revision);
    }
    landed_.emplace(index, key);
  }

  // Whether what the op undoes was done.
  bool MayUndo(uint32_t index, const Op& op) {
    const std::optional<uint32_t> here = UndoneIn(update_, op);
    if (here && op.Has(kRestores)) {
      Refuse(index, "invalid", "a restore is of an action of an earlier update");
      return false;
    }
    bool is_done = here && !scene_.vain.contains(*here);
    if (!here) {
      const DoneEntry* entry = scene_.rows->EntryOf({op.realm, op.of}, op.Has(kRestores));
      if (!entry) return false;  // it is loaded, and all is judged again
      is_done = entry->revision > 0;
      const auto state = scene_.realms->find(op.realm);
      const uint64_t floor = state == scene_.realms->end() ? 0 : state->second.floor;
      if (floor > 0 && (!is_done || (op.Has(kRestores) && entry->revision <= floor))) {
        Refuse(index, "expired", "what it undoes is no longer known");
        return false;
      }
    }
    if (is_done) return true;
    judgement_.noops.push_back(index);
    judgement_.vain.push_back(index);
    return false;
  }

  void Restore(uint32_t index, const Op& op, const PlacedKey& key) {
    const DoneEntry& entry = *scene_.rows->EntryOf({op.realm, op.of}, true);
    if (!entry.unread.ok()) return Refuse(index, "expired", entry.unread.detail());
    const Vector<PlacedKey> back = RestoreRows(&scene_, op, key, entry);
    if (back.empty()) return judgement_.noops.push_back(index);
    for (const PlacedKey& row : back) last_op_[row] = index;
    landed_.emplace(index, key);
  }

  // Whether the op changes an object that has to be there already. What it wanted is lost if there is
  // none.
  static bool IsEdit(const Op& op) {
    if (op.Has(kCreates) || op.Has(kDeletes)) return false;
    return op.Has(kMoves) || !op.set.empty() ||
           std::any_of(op.add.begin(), op.add.end(),
                       [](const PropAdd& add) { return add.by != 0; });
  }

  void Move(uint32_t index, const PlacedKey& from, Row moved) {
    const PlacedKey to{moved.realm, from.object};
    if (scene_.rows->Find(to)) {
      judgement_.rejections.push_back(IdIsTaken(index));
      return;
    }
    last_op_[to] = index;
    scene_.rows->Move(from, scene_.NextRevision(from.realm), std::move(moved));
  }

  bool HoldsIf(const PlacedKey& key, const Row& row, uint64_t revision) {
    // Some of its changes since may be forgotten.
    if (row.revision > revision && scene_.HasForgottenSince(key.realm, revision)) return false;
    const std::optional<uint64_t> last = scene_.rows->LastRevisionByOthers({key, scene_.client});
    return !last || *last <= revision;
  }

  // A realm with members has an owner, after every step. The last member may leave.
  void CheckOwners(const Cascade& cascade) {
    Map<std::string, PlacedKey> lost;  // realm -> a membership that was an owner's
    for (const auto& [key, before] : scene_.rows->journal()) {
      if (key.object.table != scene_.schema->members() || !before || !IsOwner(*before)) continue;
      const Row* now = scene_.rows->Find(key);
      if (!now || !IsOwner(*now)) lost.try_emplace(key.realm, key);
    }
    for (const std::string& realm : scene_.founding) {
      const std::string id = MembershipId(realm, scene_.user);
      lost.try_emplace(realm, PlacedKey{realm, {scene_.schema->members(), id}});
    }
    for (const auto& [realm, key] : lost) {
      if (HasOwner(scene_, realm)) continue;
      const bool has_member = HasMember(scene_, realm, MemberRole::kOwner) ||
                              HasMember(scene_, realm, MemberRole::kWriter) ||
                              HasMember(scene_, realm, MemberRole::kReader);
      if (!has_member) continue;
      Refuse(cascade.CauseOf(key), "last_owner", kNeedsOwner);
    }
  }

  // Required props, uniqueness and size of every row that this step wrote.
  void CheckRows(const Cascade& cascade) {
    Vector<PlacedKey> written;
    for (const auto& [key, before] : scene_.rows->journal()) {
      if (!cascade.touched().contains(key)) written.push_back(key);
    }
    for (const PlacedKey& key : written) {
      if (judgement_.rejections.size() >= kMaxRejections) return;  // no more of them are reported
      const Row* row = scene_.rows->Find(key);
      if (!row) continue;
      const std::optional<Row> before =
          scene_.rows->journal().at(scene_.rows->PlaceBeforeMoves(key));
      CheckRequired(key, *row, before, cascade);
      CheckUnique(key, Row(*scene_.rows->Find(key)), before, cascade);
      CheckSize(key, *scene_.rows->Find(key), cascade);
    }
  }

  void CheckRequired(const PlacedKey& key, Row row, const std::optional<Row>& before,
                     const Cascade& cascade) {
    const TableDef& table = scene_.schema->table(key.object.table);
    bool is_completed = false;
    for (size_t i = 0; i < table.props.size(); ++i) {
      const PropDef& prop = table.props[i];
      if (prop.optional || !row.props[i].is_null()) continue;
      if (before && before->props[i].is_null()) continue;  // null before the prop was required
      // Also for a row that was deleted and created again by a client that does not know the prop.
      if (prop.has_default && !prop.default_value.is_null()) {
        row.props[i] = prop.default_value;
        is_completed = true;
        continue;
      }
      Refuse(cascade.CauseOf(key), "missing_prop", table.name + "." + prop.name + " is required");
    }
    if (is_completed) scene_.rows->Put(key.object, std::move(row));
  }

  void CheckUnique(const PlacedKey& key, const Row& row, const std::optional<Row>& before,
                   const Cascade& cascade) {
    const TableDef& table = scene_.schema->table(key.object.table);
    for (size_t i = 0; i < table.props.size(); ++i) {
      if (!table.props[i].unique || row.props[i].is_null()) continue;
      if (before && before->realm == row.realm && before->props[i] == row.props[i]) continue;
      const auto prop = static_cast<PropIndex>(i);
      const UniqueValue which =
          scene_.rows->HoldersKey(key.object.table, prop, row.realm, row.props[i]);
      for (const ObjectKey& holder : scene_.rows->Holders(which)) {
        if (holder == key.object) continue;
        Refuse(OpThatSet(key, prop, cascade), "unique",
               table.name + "." + table.props[i].name + ": another object has this value");
        break;
      }
    }
  }

  // The last op that set the prop or added to it; else the op that caused the change of the row.
  std::optional<uint32_t> OpThatSet(const PlacedKey& key, PropIndex prop, const Cascade& cascade) {
    for (size_t i = places_.size(); i > 0; --i) {
      const uint32_t place = places_[i - 1];
      if (!LandedOn(place, key)) continue;
      for (const PropValue& set : update_.ops[place].set) {
        if (set.prop == prop) return place;
      }
      for (const PropAdd& add : update_.ops[place].add) {
        if (add.prop == prop) return place;
      }
    }
    return cascade.CauseOf(key);
  }

  void CheckSize(const PlacedKey& key, const Row& row, const Cascade& cascade) {
    size_t bytes = 0;
    for (const Value& value : row.props) bytes += value.text().size() + 32;
    if (bytes * 6 <= kMaxObjectBytes) return;  // JSON escapes a byte by six bytes at most
    const Data data = RowToData(*scene_.schema, key.object, row);
    if (WriteJson(data["props"]).size() <= kMaxObjectBytes) return;
    Refuse(cascade.CauseOf(key), "limit", "an object may have 1 MiB");
  }

  void AskAppRules(const Cascade& cascade) {
    if (!scene_.app_rules || !judgement_.rejections.empty() || places_.empty()) return;
    const Op& first = update_.ops[places_[0]];
    const uint32_t action = first.by.empty() ? 0 : first.by[0];
    for (AppRules::Problem& problem :
         scene_.app_rules->Judge(scene_, update_, action, cascade.touched())) {
      judgement_.rejections.push_back({problem.key ? cascade.CauseOf(*problem.key) : std::nullopt,
                                       std::move(problem.code), std::move(problem.message)});
    }
  }

  // Whether the op changed the row that is at `key` after all moves.
  bool LandedOn(uint32_t index, const PlacedKey& key) const {
    const auto landed = landed_.find(index);
    return landed != landed_.end() && scene_.rows->PlaceAfterMoves(landed->second) == key;
  }

  void ReportDeletedWithParent(const Cascade& cascade) {
    // What changed nothing did not land.
    for (const auto& [place, key] : landed_) {
      if (update_.ops[place].Has(kDeletes)) continue;
      if (!cascade.orphans().contains(scene_.rows->PlaceAfterMoves(key))) continue;
      judgement_.gone.push_back(place);
    }
  }

  Scene& scene_;
  const Update& update_;
  const Places& places_;
  Map<PlacedKey, uint32_t> last_op_;
  Map<uint32_t, PlacedKey> landed_;  // by op: the row that it changed, where it was then
  Judgement judgement_;
};

}  // namespace

Judgement JudgeStep(Scene* scene, const Update& update, const Places& places) {
  return Judging(scene, update, places).Run();
}

}  // namespace skerry
