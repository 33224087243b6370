// A record of one change of base, as it is stored in `updates` under its n and sent to every
// window. It is never rewritten.
#ifndef SKERRY_LOG_UPDATE_RECORD_H_
#define SKERRY_LOG_UPDATE_RECORD_H_

#include <optional>

#include "log/mutation_record.h"
#include "log/sync_record.h"

namespace skerry {

// kMended: a window has compared with the server, and found rows that differed.
enum class UpdateKind : uint8_t { kPull, kRefusal, kScopes, kImage, kLocal, kMended };

// A mutation that was put into the inbox.
struct RefusedMutation {
  std::string id;
  Key key;
  std::string code;  // empty: see the entry in the inbox
  std::string detail;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("key", self.key);
    member("code", self.code);
    member("detail", self.detail);
  }
};

// A mutation that is confirmed in these realms, and still pending in others.
struct PartlyConfirmed {
  std::string id;
  Vector<std::string> realms;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("realms", self.realms);
  }
};

struct UpdateRecord {
  double version = kRecordVersion;
  uint64_t n = 0;
  UpdateKind kind = UpdateKind::kPull;
  // kImage: this generation of the image holds the rows of a realm that came as an image; no record
  // holds them. A window applies such a record only if it has loaded this generation, or a later
  // one, whose n is not below the record's. Otherwise it loads the image again, as after a gap.
  std::optional<std::string> generation;
  // Mutations that were removed: confirmed in every realm that they touch, or `known`.
  Vector<NamedMutation> confirmed;
  Vector<RefusedMutation> refused;
  Vector<PartlyConfirmed> partly;
  Cursors cursors;  // after this record
  std::optional<Vector<std::string>>
      lost;  // SyncProgress::lost after this record, if it or `offers` has changed
  std::optional<Vector<SyncStream>>
      streams;                      // SyncProgress::streams after this record, if they have changed
  std::optional<Data> invitations;  // SyncProgress::invitations, if they have changed
  std::optional<ForgottenUpTo> forgotten;  // SyncProgress::forgotten, if it has changed
  std::optional<bool> revokes;             // it removes the rows of a realm that was revoked
  std::optional<std::string> body;  // by EncodeSteps; null in a message if it is too large for one
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kKinds[] = {"pull",  "refusal", "scopes",
                                             "image", "local",   "mended"};
    member("v", self.version);
    member("n", self.n);
    member.Text("kind", self.kind, kKinds);
    member.Optional("generation", self.generation);
    member("confirmed", self.confirmed);
    member("refused", self.refused);
    member("partly", self.partly);
    member("cursors", self.cursors);
    member.Optional("lost", self.lost);
    member.Optional("streams", self.streams);
    member.Optional("invitations", self.invitations);
    member.Optional("forgotten", self.forgotten);
    member.Optional("revokes", self.revokes);
    member.Bytes("body", self.body);
  }
  static UpdateRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_UPDATE_RECORD_H_
