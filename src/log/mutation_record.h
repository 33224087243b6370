// A mutation, as it is stored in `mutations` until it is confirmed in every realm that it touches.
// Its key is its position in the order of all mutations of the client.
#ifndef SKERRY_LOG_MUTATION_RECORD_H_
#define SKERRY_LOG_MUTATION_RECORD_H_

#include <optional>
#include <string>
#include <string_view>

#include "log/cursor.h"
#include "log/members.h"
#include "log/op.h"
#include "log/record_version.h"
#include "model/schema.h"

namespace skerry {

enum class MutationState : uint8_t { kPending, kGrouped };

// When a window judged a mutation by the rules of its schema: the version of the schema, and what the
// window had of the log and of other mutations.
struct JudgedAt {
  uint64_t version = 0;
  uint64_t n = 0;
  uint64_t key = 0;  // the highest one of all mutations

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("version", self.version);
    member("n", self.n);
    member("key", self.key);
  }
  friend bool operator==(const JudgedAt&, const JudgedAt&) = default;
};

struct MutationRecord {
  double version = kRecordVersion;
  std::string id;  // of its action
  std::string name;
  double at = 0;
  MutationState state = MutationState::kPending;
  std::optional<std::string> update;  // the update that it is in; null: it is not grouped
  bool held =
      false;  // the application's rules find a row wrong that it changes, or no window has judged it
  // The answer to a push said that its action is already in the log, at these revisions. The
  // mutation is not grouped until a pull says otherwise.
  std::optional<Revisions> known;
  Vector<std::string> realms;
  // One per object: the oldest name of its table, U+0000, id; for an application-defined id U+0000, realm.
  Vector<std::string> keys;
  std::string body;  // of EncodeMutation
  // What it changed from, of EncodeRowsBefore; none if that is not known.
  std::optional<std::string> before;
  // It was folded with other mutations into an op that was rejected. From then on it is grouped
  // alone.
  std::optional<bool> alone;
  std::optional<bool> replayed;  // its action was made elsewhere
  std::optional<bool> again;     // it may have been stored before, and be confirmed
  // The mutation of the inbox in whose place the user has made it.
  std::optional<std::string> replaces;
  // What of it the inbox has, though it stays: `lost` or `dropped`, U+0000, its ObjectName.
  std::optional<Vector<std::string>> told;
  // Of a mutation with an `inc`: it may have been sent in an update that was taken apart later. The time that is
  // noted of that update (OutboxRecord::sent).
  std::optional<double> sent;
  std::optional<JudgedAt> judged;  // none: nobody has
  PreservedFields rest;

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
    member.Bytes("before", self.before);
    member.Optional("alone", self.alone);
    member.Optional("replayed", self.replayed);
    member.Optional("again", self.again);
    member.Optional("replaces", self.replaces);
    member.Optional("told", self.told);
    member.Optional("sent", self.sent);
    member.Optional("judged", self.judged);
  }
  static MutationRecord Read(Data stored);
  Data Write() const;
};

template <>
inline constexpr bool kRelocatable<MutationRecord> =
    kRelocatable<std::string> && kRelocatable<Data>;

// The names of a mutation's objects, as in `keys`.
std::string ObjectText(const Schema& schema, TableIndex table, std::string_view id,
                       std::string_view realm);
Vector<std::string> ObjectTexts(const Schema& schema, const Vector<Op>& ops);  // each once

// The record of a mutation when it is first stored. `before`: of EncodeRowsBefore.
MutationRecord MakeMutationRecord(const Schema& schema, const Mutation& mutation,
                                  const std::string& before = {});

// A reference to a mutation in another record.
struct NamedMutation {
  std::string id;
  Key key;  // in `mutations`; none if it was never stored there
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id).Require(IsText);
    member("key", self.key);
  }
  friend bool operator==(const NamedMutation&, const NamedMutation&) = default;
};

inline bool IsMutationKey(const Data& data) { return IsCount(data) && data.as_u64() > 0; }

// A mutation whose action is already in the log, as the answer to a push said.
struct KnownMutation {
  std::string id;
  Key key;
  Revisions realms;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id).Require(IsText);
    member("key", self.key).Require(IsMutationKey);
    member("realms", self.realms).Require(IsMapOf<uint64_t>);
  }
};

}  // namespace skerry

#endif  // SKERRY_LOG_MUTATION_RECORD_H_
