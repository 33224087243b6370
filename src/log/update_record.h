// A record of what changed base, as it is stored in `updates` under its n and told to every window.
// It is never rewritten.
#ifndef SKERRY_LOG_UPDATE_RECORD_H_
#define SKERRY_LOG_UPDATE_RECORD_H_

#include <optional>

#include "log/mutation_record.h"

namespace skerry {

enum class UpdateKind : uint8_t { kPull, kRefusal, kScopes, kImage, kLocal };

// A mutation that went to the inbox.
struct RefusedMutation {
  std::string id;
  Key key;
  std::string code;  // empty: the inbox has it
  std::string detail;
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("key", self.key);
    member("code", self.code);
    member("detail", self.detail);
  }
};

// A mutation that is still pending, but no longer in these realms.
struct PartlyConfirmed {
  std::string id;
  Vector<std::string> realms;
  Rest rest;

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
  // Of kImage: a realm was filled by this generation of the image: its rows are there and in no
  // record. A window takes such a record as n + 1 only if the image that it loaded is this
  // generation, or a later one, whose n is not below the record's; else it loads the image again,
  // as on a gap.
  std::optional<std::string> generation;
  // Gone, for they were confirmed in every realm that they touch, or were `known`.
  Vector<NamedMutation> confirmed;
  Vector<RefusedMutation> refused;
  Vector<PartlyConfirmed> partly;
  Cursors cursors;                  // after it
  std::optional<std::string> body;  // of EncodeSteps; null in a message for which it is too large
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kKinds[] = {"pull", "refusal", "scopes", "image", "local"};
    member("v", self.version);
    member("n", self.n);
    member.Text("kind", self.kind, kKinds);
    member.Optional("generation", self.generation);
    member("confirmed", self.confirmed);
    member("refused", self.refused);
    member("partly", self.partly);
    member("cursors", self.cursors);
    member.Bytes("body", self.body);
  }
  static UpdateRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_UPDATE_RECORD_H_
