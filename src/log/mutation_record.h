// A mutation, as it is stored in `mutations` until it is confirmed in every realm that it touches.
// Its key there is its place in the order of all mutations of the client.
#ifndef SKERRY_LOG_MUTATION_RECORD_H_
#define SKERRY_LOG_MUTATION_RECORD_H_

#include <optional>

#include "log/cursor.h"
#include "log/members.h"
#include "log/record_version.h"

namespace skerry {

enum class MutationState : uint8_t { kPending, kGrouped };

struct MutationRecord {
  double version = kRecordVersion;
  std::string id;  // of its action
  std::string name;
  double at = 0;
  MutationState state = MutationState::kPending;
  std::optional<std::string> update;  // that it is in; null: it is not grouped
  bool held = false;
  // A push was told that its action is in the log already, at these revisions. It is not grouped
  // until a pull says otherwise.
  std::optional<Revisions> known;
  Vector<std::string> realms;
  Vector<std::string> keys;  // of its objects: table, U+0000, id
  std::string body;          // of EncodeMutation
  // It was folded with others into an op that was refused, and is grouped by itself from then on.
  std::optional<bool> alone;
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kStates[] = {"pending", "grouped"};
    member("v", self.version);
    member("id", self.id);
    member("name", self.name);
    member("at", self.at);
    member.Text("state", self.state, kStates);
    member("update", self.update);
    member("held", self.held);
    member("known", self.known);
    member("realms", self.realms);
    member("keys", self.keys);
    member.Bytes("body", self.body);
    member.Optional("alone", self.alone);
  }
  static MutationRecord Read(Data stored);
  Data Write() const;
};

// A mutation, as other records name it.
struct NamedMutation {
  std::string id;
  Key key;  // in `mutations`
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("key", self.key);
  }
  friend bool operator==(const NamedMutation&, const NamedMutation&) = default;
};

// A mutation whose action is in the log already, as a push was told.
struct KnownMutation {
  std::string id;
  Key key;
  Revisions realms;
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("key", self.key);
    member("realms", self.realms);
  }
};
bool Fits(const Data& data, const KnownMutation*);

}  // namespace skerry

#endif  // SKERRY_LOG_MUTATION_RECORD_H_
