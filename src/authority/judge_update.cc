#include "authority/judge_update.h"

#include <algorithm>
#include <utility>

#include "authority/membership.h"
#include "base/map.h"
#include "base/sort.h"

namespace skerry {
namespace {

// What the refused actions would have changed, and those that depend on them.
class Refused {
 public:
  explicit Refused(const Scene& scene) : scene_(scene) {}

  void Add(const Update& update, const Places& places) {
    for (const uint32_t place : places) {
      const Op& op = update.ops[place];
      if (!op.Has(kOnRow)) continue;
      objects_.insert(KeyOf(*scene_.schema, op));
      if (MakesOwner(*scene_.schema, op, scene_.user)) realms_.insert(op.realm);
    }
  }

  bool empty() const { return objects_.empty(); }

  // As sync/quarantine.cc decides it: by the objects that an action changes, those that its refs lead
  // to, and the realms that it is in.
  bool Concerns(const Update& update, const Places& places) const {
    return std::any_of(places.begin(), places.end(), [&](uint32_t place) {
      const Op& op = update.ops[place];
      if (realms_.contains(op.realm) || realms_.contains(op.to)) return true;
      if (!op.Has(kOnRow)) return false;
      if (objects_.contains(KeyOf(*scene_.schema, op))) return true;
      return AnyRef(*scene_.schema, op,
                    [&](const ObjectKey& target) { return objects_.contains(target); });
    });
  }

 private:
  const Scene& scene_;
  Set<ObjectKey> objects_;
  Set<std::string> realms_;
};

class Steps {
 public:
  Steps(Scene scene, const Update& update, size_t most_work)
      : scene_(std::move(scene)), update_(update), most_work_(most_work), refused_(scene_) {
    for (uint32_t place = 0; place < update_.ops.size(); ++place) {
      steps_[update_.ops[place].by.empty() ? 0 : update_.ops[place].by[0]].push_back(place);
    }
  }

  UpdateJudgement Run() {
    if (std::optional<Rejection> wrong = FaultOfRealms()) {
      all_.rejections.push_back(std::move(*wrong));
      return std::move(all_);
    }
    for (const auto& [action, places] : steps_) {
      if (!Step(action, places)) break;
    }
    Sort(all_.noops.begin(), all_.noops.end());
    Sort(all_.gone.begin(), all_.gone.end());
    Sort(all_.missing.begin(), all_.missing.end());
    for (const PlacedKey& key : changed_) all_.touched.erase(key);
    return std::move(all_);
  }

 private:
  // An update that names a realm without an op in it must be allowed to write there.
  std::optional<Rejection> FaultOfRealms() const {
    Set<std::string> named;
    for (const Op& op : update_.ops) {
      named.insert(op.realm);
      named.insert(op.to);
    }
    for (const auto& [realm, link] : update_.after) {
      if (!named.contains(realm) && scene_.AccessIn(realm) != Access::kWritable)
        return ForbiddenRealm(std::nullopt);
    }
    return std::nullopt;
  }

  // Returns false if the steps after it cannot be judged.
  bool Step(uint32_t action, const Places& places) {
    if (!refused_.empty() && refused_.Concerns(update_, places)) {
      refused_.Add(update_, places);
      return true;
    }
    Judgement judged = JudgeStep(&scene_, update_, places);
    all_.work += places.size() + scene_.rows->changed_in_step();
    if (judged.rejections.empty()) {
      Keep(action, places, std::move(judged));
      all_.is_too_much = all_.work > most_work_;
      return !all_.is_too_much;
    }
    scene_.rows->DropStep();
    refused_.Add(update_, places);
    const bool is_known = IsCulpritKnown(places, judged);
    for (Rejection& rejection : judged.rejections) {
      if (is_known && !rejection.op && steps_.size() > 1) rejection.action = action;
      all_.rejections.push_back(std::move(rejection));
    }
    return is_known && all_.rejections.size() < kMaxRejections && all_.work <= most_work_;
  }

  void Keep(uint32_t action, const Places& places, Judgement judged) {
    const auto append = [](const Places& from, Places* to) {
      to->insert(to->end(), from.begin(), from.end());
    };
    append(judged.noops, &all_.noops);
    append(judged.vain, &all_.vain);
    if (!places.empty() && judged.vain.size() == places.size()) scene_.vain.insert(action);
    append(judged.gone, &all_.gone);
    append(judged.missing, &all_.missing);
    for (const auto& [key, before] : scene_.rows->journal()) {
      (judged.touched.contains(key) ? all_.touched : changed_).insert(key);
    }
    scene_.rows->KeepStep();
    scene_.founded.insert(scene_.founding.begin(), scene_.founding.end());
    scene_.founding.clear();
  }

  // Whether every rejection is about an op of this action alone.
  bool IsCulpritKnown(const Places& places, const Judgement& judged) const {
    const auto is_shared = [&](uint32_t place) { return update_.ops[place].by.size() > 1; };
    const bool any_shared = std::any_of(places.begin(), places.end(), is_shared);
    return std::none_of(judged.rejections.begin(), judged.rejections.end(),
                        [&](const Rejection& rejection) {
                          return rejection.op ? is_shared(*rejection.op) : any_shared;
                        });
  }

  Scene scene_;
  const Update& update_;
  const size_t most_work_;
  Refused refused_;
  Map<uint32_t, Places> steps_;  // by action
  Set<PlacedKey> changed_;       // rows of which more than the time changed
  UpdateJudgement all_;
};

}  // namespace

UpdateJudgement JudgeUpdate(Scene scene, const Update& update, size_t most_work) {
  return Steps(std::move(scene), update, most_work).Run();
}

}  // namespace skerry
