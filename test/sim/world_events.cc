// Executes each kind of event (event.cc describes them).
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "model/members.h"
#include "test/sim/world.h"

namespace skerry::sim {
namespace {

constexpr size_t kMaxTabs = 3;
constexpr size_t kMaxProfiles = 4;
constexpr uint64_t kMostSteps = 24;
constexpr double kDayMs = 86'400'000;

}  // namespace

void World::Apply(const Event& event) {
  switch (event.kind) {
    case Kind::kRun:
      return Steps(1 + event.b % kMostSteps);
    case Kind::kPassTime:
      return Pass(event.a, event.b);
    case Kind::kRunQuietly:
      return Live(1'000 + event.b % 12'000);
    default:
      break;
  }
  if (ApplyServer(event) || ApplyPage(event) || ApplyCrash(event) || ApplyStorage(event)) return;
  if (ApplyProfile(event)) return;
  SKERRY_CHECK(ApplyReleases(event) || ApplyService(event));
}

Tab* World::AnyTab(uint32_t which) {
  Vector<Tab*> tabs;
  for (const auto& profile : profiles_) {
    for (const auto& tab : profile->tabs) tabs.push_back(tab.get());
  }
  return tabs.empty() ? nullptr : tabs[which % tabs.size()];
}

void World::OpenTab(Profile* profile) {
  if (profile->tabs.size() < kMaxTabs) AddTab(profile);
}

void World::AddTab(Profile* profile) {
  const std::string id = "tab-" + std::to_string(NextSerial());
  profile->tabs.push_back(std::make_unique<Tab>(this, profile, id));
}

void World::CloseTab(Profile* profile, size_t which, bool crash) {
  Tab& tab = *profile->tabs[which];
  if (!crash && !tab.frozen) tab.Leave();
  tab.EndWorker();
  profile->tabs.erase(profile->tabs.begin() + static_cast<ptrdiff_t>(which));
}

// ---- network and server ----

bool World::ApplyServer(const Event& event) {
  Tab* tab = AnyTab(event.a);
  switch (event.kind) {
    case Kind::kLoseRequest:
    case Kind::kHangRequest:
    case Kind::kCutBeforeCommit:
    case Kind::kCutAfterCommit:
    case Kind::kRepeatRequest:
    case Kind::kDelayRequest:
    case Kind::kUnavailable:
    case Kind::kGone:
      network_->Arm(event);
      return true;
    case Kind::kReorderRequests:
      network_->Reorder();
      return true;
    case Kind::kRestartNode:
      network_->RestartNode(event.a);
      return true;
    case Kind::kGrant: {
      using test::naive::May;
      static constexpr May kRights[] = {May::kNothing, May::kRead, May::kWrite};
      if (has_rights())
        network_->Grant(Users()[event.a % Users().size()], kGivenRealm, kRights[event.b % 3]);
      return true;
    }
    case Kind::kBackUpServer:
      network_->BackUp();
      return true;
    case Kind::kRestoreServer:
      network_->Restore();
      return true;
    case Kind::kSnapshot:
      if (Has(Part::kStreams)) network_->MakeSnapshot(event.a, event.b);
      return true;
    case Kind::kSetApart:
      if (Has(Part::kStreams)) network_->SetApart(event.a, event.b);
      return true;
    case Kind::kForeignWrite:
      if (Has(Part::kForeign)) network_->WriteForeign(event.a, event.b);
      return true;
    case Kind::kForgetLog:
      network_->ForgetLog(event.a, event.b);
      return true;
    case Kind::kExpireTokens:
      Happened(event.kind);
      network_->ExpireTokens();
      return true;
    case Kind::kOldToken:
    case Kind::kNoToken:
      if (tab == nullptr) return true;
      Happened(event.kind);
      tab->next_token =
          event.kind == Kind::kOldToken ? Tab::Answer::kOldToken : Tab::Answer::kNoToken;
      return true;
    case Kind::kLogIn:
      if (tab != nullptr && Has(Part::kTokens)) tab->GiveToken(network_->token());
      return true;
    case Kind::kLosePoke:
      network_->pokes().LoseNext();
      return true;
    case Kind::kDelayPoke:
      network_->pokes().DelayNext(1'000 + event.b % 20'000);
      return true;
    case Kind::kCloseSocket:
      network_->pokes().CloseOne(event.b);
      return true;
    case Kind::kSilenceSocket:
      network_->pokes().SilenceOne(event.b);
      return true;
    default:
      return false;
  }
}

// ---- what a person and a page do ----

bool World::ApplyPage(const Event& event) {
  Tab* tab = AnyTab(event.a);
  Profile& profile = AnyProfile(event.b);
  switch (event.kind) {
    case Kind::kOpenTab:
      OpenTab(&profile);
      return true;
    case Kind::kDuplicateTab:
      if (tab == nullptr || tab->window->profile().tabs.size() >= kMaxTabs) return true;
      Happened(event.kind);
      OpenTab(&tab->window->profile());
      return true;
    case Kind::kCloseTab:
      if (profile.tabs.size() > 1) CloseTab(&profile, event.a % profile.tabs.size(), false);
      return true;
    case Kind::kMutate:
      if (tab != nullptr && !tab->frozen && tab->window->ready())
        tab->window->Mutate(event.a, event.b);
      return true;
    case Kind::kHide:
    case Kind::kShow: {
      const bool visible = event.kind == Kind::kShow;
      if (tab == nullptr || tab->visible == visible) return true;
      if (!visible) Happened(event.kind);
      if (visible) tab->window->throttled = false;
      tab->Show(visible);
      return true;
    }
    case Kind::kSyncNow: {
      Data message = Data::MakeObject();
      if (tab != nullptr) tab->ToWorker(message.Set("type", "sync").Set("id", NextSerial()));
      return true;
    }
    case Kind::kResolve:
      if (tab != nullptr && !tab->frozen) Resolve(tab, event.b);
      return true;
    case Kind::kFold:
      if (tab != nullptr && !tab->frozen && tab->window->ready()) tab->window->FoldStreams();
      return true;
    case Kind::kScopes:
      if (tab != nullptr && !tab->frozen && tab->window->ready()) Scopes(tab, event.b);
      return true;
    default:
      return false;
  }
}

void World::Resolve(Tab* tab, uint32_t which) {
  const auto& inbox = tab->window->profile().storage.store("conflicts");
  if (inbox.empty() || !tab->window->ready()) return;
  auto entry = inbox.begin();
  std::advance(entry, which % inbox.size());
  const bool retry = which % 3 == 0 && entry->second["code"].as_string() != "parent_deleted";
  const bool amends = which % 3 == 1;
  Count(retry ? "inbox: retry" : amends ? "inbox: amend" : "inbox: discard");
  Data event = Data::MakeObject();
  event.Set("type", "resolve").Set("id", entry->first.ToData());
  checks_->Resolved(entry->second["mutation"]["id"].as_string(), retry,
                    entry->second["code"].as_string());
  if (amends) return tab->window->Amend(entry->first.ToData(), which);
  tab->window->Deliver(event.Set("how", retry ? "retry" : "discard"));
}

void World::Scopes(Tab* tab, uint32_t which) {
  Happened(Kind::kScopes);
  Profile& profile = tab->window->profile();
  test::CheckScopes scopes = profile.ScopesOf(tab->window->release());
  // Every window asks for all memberships, always.
  erase_if(scopes, [](const test::CheckScope& scope) { return scope.table == kMembersTable; });
  const test::CheckScope& scope = scopes[which % scopes.size()];
  Data item = Data::MakeObject();
  item.Set("table", scope.table).Set("where", ParseJson(scope.where).value());
  Data event = Data::MakeObject();
  Data list = Data::MakeArray();
  list.Push(std::move(item));
  const bool drops = which % 2 == 0;
  event.Set("type", "scopes").Set("add", drops ? Data::MakeArray() : list);
  tab->window->Deliver(event.Set("drop", drops ? list : Data::MakeArray()));
}

// ---- pages that end, and pages that stand still ----

bool World::ApplyCrash(const Event& event) {
  Tab* tab = AnyTab(event.a);
  Profile& profile = AnyProfile(event.a);
  switch (event.kind) {
    case Kind::kCrashTab:
      if (profile.tabs.empty()) return true;
      Happened(event.kind);
      CloseTab(&profile, event.b % profile.tabs.size(), true);
      if (profile.tabs.empty() || event.b % 2 == 0) OpenTab(&profile);
      return true;
    case Kind::kCrashWorker:
      if (tab == nullptr || tab->worker == nullptr) return true;
      Happened(event.kind);
      tab->EndWorker();
      return true;
    case Kind::kCrashBrowser:
      Happened(event.kind);
      StopServices(&profile, profile.services.size());
      while (!profile.tabs.empty()) CloseTab(&profile, 0, true);
      OpenTab(&profile);
      return true;
    case Kind::kFreeze:
      if (tab == nullptr || tab->frozen) return true;
      Happened(event.kind);
      Freeze(tab, event);
      return true;
    case Kind::kThaw:
      if (tab != nullptr) Thaw(tab);
      return true;
    case Kind::kStall:
      if (tab == nullptr) return true;
      Happened(event.kind);
      tab->window->stalled = event.b % 3 != 0;
      if (tab->worker != nullptr) tab->worker->stalled = event.b % 3 != 1;
      return true;
    case Kind::kThrottle:
      if (tab == nullptr) return true;
      Happened(event.kind);
      tab->window->throttled = true;
      return true;
    default:
      return false;
  }
}

void World::Freeze(Tab* tab, const Event& event) {
  tab->ReleaseLeases();
  tab->EndWorker();
  tab->window->Freeze();
  // Like an application that saves when it is hidden.
  if (event.b % 2 == 1 && tab->window->ready()) tab->window->Mutate(event.a, event.b);
  tab->window->StandStill();
  tab->frozen = true;
}

void World::Thaw(Tab* tab) {
  tab->window->stalled = false;
  if (tab->worker != nullptr) tab->worker->stalled = false;
  if (!tab->frozen) return;
  tab->frozen = false;
  Data event = Data::MakeObject();
  tab->window->Dispatch(event.Set("type", "resume"));
}

// ---- storage, channel and clock ----

bool World::ApplyStorage(const Event& event) {
  Tab* tab = AnyTab(event.a);
  Host* host = tab == nullptr ? nullptr : tab->window.get();
  if (tab != nullptr && event.b % 2 == 0 && tab->worker != nullptr) host = tab->worker.get();
  Profile& profile = AnyProfile(event.a);
  switch (event.kind) {
    case Kind::kQuota:
    case Kind::kStorageError:
    case Kind::kLostCompletion:
      if (host == nullptr) return true;
      host->fault = event.kind == Kind::kQuota          ? StorageFault::kQuota
                    : event.kind == Kind::kStorageError ? StorageFault::kError
                                                        : StorageFault::kLostCompletion;
      host->faults_left = event.kind == Kind::kQuota ? 1 + static_cast<int>(event.b % 4) : 1;
      return true;
    case Kind::kDamageImage:
    case Kind::kLoseImage: {
      const Data pointer = profile.storage.Get("sync", "sync")["image"];
      Mount* const image = ImageOf(pointer, &profile.images);
      if (image == nullptr) return true;
      Happened(event.kind);
      if (event.kind == Kind::kLoseImage) {
        profile.images.erase(pointer["mount"].as_string());
      } else {
        std::string& bytes = image->files.begin()->second;
        bytes.data()[event.b % bytes.size()] ^= 0x40;
      }
      return true;
    }
    case Kind::kReorderChannel:
      if (host != nullptr && host->ReorderChannel()) Happened(event.kind);
      return true;
    case Kind::kDelayChannel:
      if (host == nullptr) return true;
      Happened(event.kind);
      host->deaf_until = mono_ + event.b % 20'000;
      return true;
    case Kind::kStepClock:
      Happened(event.kind);
      profile.wall_skew += event.b % 2 == 0 ? kDayMs : -kDayMs;
      return true;
    default:
      return false;
  }
}

// ---- profiles ----

bool World::ApplyProfile(const Event& event) {
  Profile& profile = AnyProfile(event.a);
  switch (event.kind) {
    case Kind::kOffline:
      if (profile.online) Happened(event.kind);
      profile.online = false;
      network_->Disconnect(profile.index);
      break;
    case Kind::kOnline:
      profile.online = true;
      break;
    case Kind::kBackUp:
      Happened(event.kind);
      profile.copy = Profile::Copy{profile.storage, profile.images};
      return true;
    case Kind::kRestore:
      if (profile.copy) Restore(&profile);
      return true;
    case Kind::kClone:
      if (profile.copy && profiles_.size() < kMaxProfiles) Clone(&profile);
      return true;
    default:
      return false;
  }
  Data message = Data::MakeObject();
  message.Set("type", "online").Set("online", profile.online);
  for (const auto& tab : profile.tabs) tab->ToWorker(message);
  return true;
}

void World::Restore(Profile* profile) {
  Happened(Kind::kRestore);
  StopServices(profile, profile->services.size());
  while (!profile->tabs.empty()) CloseTab(profile, 0, true);
  Profile before;
  before.storage = profile->storage;
  profile->storage = profile->copy->storage;
  profile->images = profile->copy->images;
  profile->locks.clear();
  checks_->Restored(*profile, before);
  OpenTab(profile);
}

void World::Clone(Profile* profile) {
  Happened(Kind::kClone);
  auto clone = std::make_unique<Profile>();
  clone->index = profiles_.size();
  clone->user = profile->user;
  clone->storage = profile->copy->storage;
  clone->images = profile->copy->images;
  clone->scopes = profile->scopes;
  clone->release = profile->release;
  clone->registered = profile->registered;
  profiles_.push_back(std::move(clone));
  checks_->Copied(*profiles_.back(), *profile);
  OpenTab(profiles_.back().get());
}

}  // namespace skerry::sim
