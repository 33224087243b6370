// WorkerConfig: what a sync worker is created with (docs/sync-worker.md, section 1).
#ifndef SKERRY_SYNC_WORKER_CONFIG_H_
#define SKERRY_SYNC_WORKER_CONFIG_H_

#include <string>

#include "log/members.h"
#include "sync/worker_state.h"

namespace skerry {

struct WorkerConfig {
  Data schema;
  std::string tab;
  std::string user;  // empty: not known
  std::string seed;
  bool visible = true;
  bool online = true;
  bool locks = false;
  bool auth = false;
  bool socket = false;
  bool images = false;
  Mode mode = Mode::kLease;
  std::string reason;  // of the mode, in words
  Data service;
  bool keeps_token = false;
  Data times;   // of ParseSyncTimes
  Data limits;  // of ParseSyncLimits

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kModes[] = {"lease", "service", "helper"};
    member("schema", self.schema);
    member("tab", self.tab);
    member("user", self.user);
    member.Bytes("seed", self.seed);
    member("visible", self.visible);
    member("online", self.online);
    member("locks", self.locks);
    member("auth", self.auth);
    member("socket", self.socket);
    member("images", self.images);
    member.Text("mode", self.mode, kModes);
    member("reason", self.reason);
    member("service", self.service);
    member("keepToken", self.keeps_token);
    member("times", self.times);
    member("limits", self.limits);
  }
};

}  // namespace skerry

#endif  // SKERRY_SYNC_WORKER_CONFIG_H_
