// 10 reduction: a pull with reduction and a pull without it lead to the same state. Check 4
// compares the state after every pull with the server. Here some pulls are asked a second time, at
// the same moment, without `have`. That answer has the client's own changes in full. Folded alone,
// over the same base, it must lead to the same rows.
#include <algorithm>

#include "base/json.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "test/core/model_check/base_check.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/checks.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kEvery = 3;  // one in so many pulls with a `have` is asked a second time

class ReductionCheck final : public Check {
 public:
  using Check::Check;

  void Pulling(const Profile& profile, const Data& request) override {
    if (request["have"].items().empty() || ++asked_ % kEvery != 0) return;
    const Data sync = profile.storage.Get("sync", "sync");
    // A request that another pull has overtaken was made for another base.
    const bool is_now = sync["cursors"] == request["cursors"] && AreFilled(sync, request);
    if (!is_now || !world_->checks().IsInHistory(sync["cursors"])) return;
    // While a realm is read again, its old rows stay until the answer.
    if (!sync["refill"].items().empty()) return;
    const Release release = ReleaseOf(world_->has_releases(), request["schema"].as_u64());
    const SyncRecord record = SyncRecord::Read(sync);
    const bool lacks = record.lacks.has_value() && IsFromNewerVersion(SchemaOf(release), record);
    if (lacks || MustReadAgain(SchemaOf(release), record) ||
        !world_->checks().IsCorrected(sync["cursors"]))
      return;
    Data whole = request;
    whole.Set("have", Data::MakeArray());
    const std::string text = world_->network().Peek(profile, whole);
    if (text.empty()) return;  // too large
    const Result<PullAnswer> answer = ReadPullAnswer(SchemaOf(release), ParseJson(text).value());
    if (!answer.ok()) return Fail("10 reduction: an answer that cannot be read");
    if (!answer.value().images.empty() || answer.value().refill.has_value()) return;
    Compare(profile, release, sync, answer.value());
    world_->Count("pull without reduction");
  }

 private:
  // Whether the scopes are the same, and all filled: a restored profile may have older ones.
  static bool AreFilled(const Data& sync, const Data& request) {
    const Data::Array& asked = request["scopes"].items();
    const Data::Array& stored = sync["scopes"].items();
    return std::equal(asked.begin(), asked.end(), stored.begin(), stored.end(),
                      [](const Data& scope, const Data& other) {
                        return scope["table"] == other["table"] &&
                               scope["where"] == other["where"] && scope["filled"].as_bool() &&
                               other["filled"].as_bool();
                      });
  }

  void Compare(const Profile& profile, Release release, const Data& sync,
               const PullAnswer& answer) {
    test::RowMap base = world_->checks().folds().Now(profile, release);
    Vector<Step> steps;
    Vector<std::string> dropped = answer.reset;
    for (const std::string& realm : answer.revoked) dropped.push_back(realm);
    for (const std::string& realm : dropped) {
      steps.emplace_back();
      steps.back().kind = StepKind::kDropRealm;
      steps.back().realm = realm;
    }
    for (const Change& change : answer.changes) {
      steps.emplace_back();
      steps.back().change = change;
    }
    test::TouchedKeys touched;
    if (!ApplySteps(SchemaOf(release), steps, &base, &touched).ok())
      return Fail("10 reduction: an answer that cannot be folded");
    Data then = sync;
    Data cursors = sync["cursors"];
    for (const auto& [realm, cursor] : answer.cursors) cursors.Set(realm, cursor);
    for (const std::string& realm : answer.revoked) cursors.Remove(realm);
    for (const std::string& realm : answer.lost) cursors.Remove(realm);
    Data lost = sync["lost"].is_array() ? sync["lost"] : Data::MakeArray();
    for (const std::string& realm : answer.lost) lost.Push(realm);
    then.Set("cursors", std::move(cursors)).Set("lost", std::move(lost));
    const std::string problem = test::BaseProblem(
        {profile.ScopesOf(release), then, base, &SchemaOf(release), KnownTo(release)},
        world_->checks().naive());
    if (!problem.empty()) Fail("10 reduction: without it " + problem);
  }

  uint64_t asked_ = 0;
};

}  // namespace

std::unique_ptr<Check> MakeReductionCheck(World* world) {
  return std::make_unique<ReductionCheck>(world);
}

}  // namespace skerry::sim
