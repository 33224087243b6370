// A lease, as it is stored in `sync` under the lease's name: `push`, `listen` or `image`. The rules
// are in sync/lease_rules.h.
#ifndef SKERRY_LOG_LEASE_RECORD_H_
#define SKERRY_LOG_LEASE_RECORD_H_

#include <cstdint>
#include <optional>

#include "log/members.h"
#include "log/record_version.h"

namespace skerry {

struct LeaseRecord {
  double version = kRecordVersion;
  std::optional<std::string> owner;  // the tab that holds it; null: no tab
  uint64_t epoch = 0;                // counts claims; a write under another epoch is rejected
  uint64_t heartbeat = 0;            // counts the holder's heartbeats in this epoch
  double claimed_at = 0;             // ms of the wall clock; only for people, like the next
  double heartbeat_at = 0;
  std::optional<std::string> job;  // what the holder is doing; null: the lease was released
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("owner", self.owner);
    member("epoch", self.epoch);
    member("beat", self.heartbeat);
    member("claimedAt", self.claimed_at);
    member("beatAt", self.heartbeat_at);
    member("job", self.job);
  }
  static LeaseRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_LEASE_RECORD_H_
