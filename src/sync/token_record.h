// The records in storage for a service worker that is started without a window: in `sync`, under
// the keys `token` and `service` (docs/service-worker.md).
#ifndef SKERRY_SYNC_TOKEN_RECORD_H_
#define SKERRY_SYNC_TOKEN_RECORD_H_

#include <optional>

#include "log/kinds.h"
#include "log/record_version.h"
#include "sync/names.h"

namespace skerry {

inline constexpr const char* kTokenKey = "token";
struct TokenRecord {
  static constexpr const char* kType = "token";
  double version = kRecordVersion;
  Token token;
  std::optional<double> refused_at;  // ms; none: the server has not refused it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("token", self.token);
    member.Optional("refusedAt", self.refused_at);
  }
};

// What the service worker needs; JavaScript fills it. The core adds `v` and `schema`, and reads
// this.
inline constexpr const char* kServiceKey = "service";
struct ServiceRecord {
  double version = kRecordVersion;
  bool logged_out = false;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("loggedOut", self.logged_out);
  }
};

}  // namespace skerry

#endif  // SKERRY_SYNC_TOKEN_RECORD_H_
