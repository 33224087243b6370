#include "test/sim/checks.h"

#include <algorithm>

#include "authority/cursor.h"
#include "base/json.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/folds.h"
#include "test/sim/world.h"

namespace skerry::sim {

void Check::Fail(const std::string& problem) { world_->Fail(problem); }

bool GivesUpImages(const Data& writes) {
  return std::ranges::any_of(writes.items(), [](const Data& write) {
    const Data& record = write["put"];
    return write["store"].Is("updates") && record["kind"].Is("image") &&
           record["generation"].is_null();
  });
}

std::set<std::string> VainActions(const Data& update, const Data& result) {
  std::set<std::string> vain, others;
  const auto& noops = result["noops"].items();
  const auto& actions = update["actions"].items();
  for (size_t place = 0; place < update["ops"].items().size(); ++place) {
    const Data& op = update["ops"].items()[place];
    const bool is_noop =
        std::ranges::any_of(noops, [place](const Data& noop) { return noop.as_u64() == place; });
    std::set<std::string>& list = is_noop && op["of"].is_string() ? vain : others;
    if (op["by"].is_null()) list.insert(actions[0]["id"].as_string());
    for (const Data& by : op["by"].items()) list.insert(actions[by.as_u64()]["id"].as_string());
  }
  std::erase_if(vain, [&](const std::string& action) { return others.contains(action); });
  return vain;
}

Checks::Checks(World* world)
    : world_(world),
      naive_(world->has_releases() ? NaiveTables() : test::CheckTables(), world->realms()) {
  naive_.AskConsent();
  if (world->has_app_rule()) naive_.UseAppRule();
  all_.push_back(std::make_unique<Folds>(world));
  folds_ = static_cast<Folds*>(all_.back().get());
  for (const auto make :
       {MakeDurableCheck, MakeOnceCheck, MakeOrderCheck, MakeConvergenceCheck, MakeRebaseCheck,
        MakeFlickerCheck, MakeFenceCheck, MakeIsolationCheck, MakeReductionCheck, MakeSerialCheck,
        MakeBoundedCheck, MakeToldCheck, MakeOverwrittenCheck, MakeHeldCheck, MakeLostCheck,
        MakeAppendedCheck, MakeDefaultsCheck, MakeGivenBackCheck, MakeStreamsCheck})
    all_.push_back(make(world));
}

Checks::~Checks() = default;

void Checks::Began(WindowHost& window) {
  for (const auto& check : all_) check->Began(window);
}

void Checks::Drained(WindowHost& window, const Data& drained, Drain when) {
  for (const auto& check : all_) check->Drained(window, drained, when);
}

void Checks::Made(const MadeMutation& made) {
  for (const auto& check : all_) check->Made(made);
}

void Checks::Settled(WindowHost& window, const std::string& action, const std::string& stage,
                     const std::string& code) {
  for (const auto& check : all_) check->Settled(window, action, stage, code);
}

void Checks::Writing(Host& host, const Data& writes) {
  for (const auto& check : all_) check->Writing(host, writes);
}

void Checks::Stored(Host& host, const Data& writes, const Data& keys) {
  for (const auto& check : all_) check->Stored(host, writes, keys);
}

void Checks::Sending(WorkerHost& worker, const Data& push) {
  for (const auto& check : all_) check->Sending(worker, push);
}

void Checks::Listening(WorkerHost& worker) {
  for (const auto& check : all_) check->Listening(worker);
}

void Checks::Committed(const CommittedPush& push) {
  for (const auto& check : all_) check->Committed(push);
}

void Checks::TakenBack(const sim::TakenBack& taken) {
  for (const auto& check : all_) check->TakenBack(taken);
}

void Checks::Deployed(const Database& database, const Vector<Database::Corrected>& corrected) {
  naive_.Serve(DefaultsOf(*database.newest()));
  for (const Database::Corrected& entry : corrected) {
    test::naive::Names keys;
    for (const ObjectKey& key : entry.keys)
      keys.insert(test::KeyOf(key, entry.realm, database.columns()));
    naive_.Correct(entry.realm, keys, entry.at);
    corrected_[entry.realm] = naive_.head(entry.realm);
  }
}

void Checks::CommittedAll(const Database& database) {
  for (const auto& check : all_) check->CommittedAll(database);
}

void Checks::Answered(const std::string& body) {
  const Data answer = ParseJson(body).value();
  for (const Data& result : answer["results"].items()) {
    for (const auto& [realm, revision] : result["revisions"].members())
      answered_[realm] = std::max(answered_[realm], revision.as_u64());
  }
}

void Checks::Restored(const Profile& profile, const Profile& before) {
  for (const auto& check : all_) check->Restored(profile, before);
}

void Checks::Copied(const Profile& profile, const Profile& of) {
  for (const auto& check : all_) check->Copied(profile, of);
}

void Checks::Pulling(const Profile& profile, const Data& request) {
  for (const auto& check : all_) check->Pulling(profile, request);
}

void Checks::Answering(const Caller& caller, const Data& request, const std::string& answer) {
  for (const auto& check : all_) check->Answering(caller, request, answer);
}

test::naive::Rights Checks::RightsOf(const Profile& profile) const {
  const Caller caller = world_->network().CallerOf(profile);
  return naive_.RightsOf(caller.user, caller.grants);
}

void Checks::ServerRestored(const Database& before, test::naive::Server naive) {
  naive_ = std::move(naive);
  std::erase_if(corrected_,
                [&](const auto& entry) { return naive_.head(entry.first) < entry.second; });
  for (auto& [realm, revision] : answered_) revision = std::min(revision, naive_.head(realm));
  for (const auto& check : all_) check->ServerRestored(before);
}

bool Checks::IsInHistory(const Data& cursors) const {
  for (const auto& [realm, cursor] : cursors.members()) {
    const Result<Cursor> parsed = ParseCursor(cursor.as_string());
    if (!parsed.ok() || parsed.value().revision == 0) continue;
    const auto& [revision, at] = parsed.value();
    if (revision > naive_.head(realm)) return false;
    if (naive_.log(realm)[revision - 1].at != at) return false;
  }
  return true;
}

bool Checks::IsCorrected(const Data& cursors) const {
  for (const auto& [realm, revision] : corrected_) {
    if (CursorRevision(cursors[realm].as_string()) < revision) return false;
  }
  return true;
}

void Checks::Resolved(const std::string& action, bool retry, const std::string& code) {
  for (const auto& check : all_) check->Resolved(action, retry, code);
}

void Checks::Moment() {
  for (const auto& check : all_) check->Moment();
}

void Checks::End() {
  for (const auto& check : all_) check->End();
}

}  // namespace skerry::sim
