// An update on its way to the server, as it is stored in `outbox` under its id. Only its state, and
// what the server has answered, change.
#ifndef SKERRY_LOG_OUTBOX_RECORD_H_
#define SKERRY_LOG_OUTBOX_RECORD_H_

#include <optional>

#include "log/mutation_record.h"

namespace skerry {

// A client's update in a realm; the client's next update in that realm follows it. Stored as null
// if there is none (its id is empty).
struct ChainLink {
  uint64_t seq = 0;
  std::string id;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("seq", self.seq).Require(IsCount);
    member("id", self.id).Require(IsText);
  }
  friend bool operator==(const ChainLink&, const ChainLink&) = default;
};
inline bool CanRead(const Data& data, const ChainLink*) {
  return data.is_null() || CanReadMembers<ChainLink>(data);
}
void FromData(Data&& data, ChainLink* out);
Data ToData(const ChainLink& link);

using ChainLinks = Map<std::string, ChainLink>;  // by realm
inline bool IsChainLinks(const Data& data) {
  return IsMapOf<ChainLink>(data) && !data.members().empty();
}

// The last update of this identity in each realm (docs/design.md, "The chain").
struct Chain {
  std::string client;
  ChainLinks links;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsText);
    member("links", self.links).Require(IsMapOf<ChainLink>);
  }
  friend bool operator==(const Chain&, const Chain&) = default;
};

enum class OutboxState : uint8_t {
  kSent,      // waits for an answer; an unknown state is read as this: it may have been sent
  kNew,       // never sent
  kReceived,  // applied, or a duplicate: waits for a pull to confirm it
};

struct OutboxRecord {
  double version = kRecordVersion;
  std::string id;
  std::string client;  // the identity that it was grouped under
  ChainLinks after;    // the update that it follows, in each realm that it touches
  Revisions base;
  double at = 0;
  OutboxState state = OutboxState::kSent;
  uint64_t epoch = 0;                  // of the lease under which it was first sent
  std::optional<Revisions> revisions;  // its revisions in the log, from the push's answer
  Vector<std::string> confirmed;       // realms in which a pull has confirmed it
  Vector<NamedMutation> mutations;
  std::string body;  // JSON of the wire, written once and sent byte for byte
  // It was received, and sent again, because a pull did not have a realm of it. If the server then
  // says that it was applied only now, it is asked once more.
  std::optional<bool> checked;
  // The latest time of the server's clock, ms, that was known when its actions were first sent (SentAt).
  std::optional<double> sent;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    static constexpr const char* kStates[] = {"sent", "new", "received"};
    member("v", self.version);
    member("id", self.id).Require(IsText);
    member("client", self.client).Require(IsText);
    member("after", self.after).Require(IsChainLinks);
    member("base", self.base);
    member("at", self.at);
    member.Text("state", self.state, kStates).Require(IsText);
    member("epoch", self.epoch);
    member("revisions", self.revisions);
    member("confirmed", self.confirmed).Require(IsListOf<std::string>);
    member("mutations", self.mutations).Require(IsListOf<NamedMutation>);
    member.Bytes("body", self.body).Require(IsBytes);
    member.Optional("checked", self.checked);
    member.Optional("sent", self.sent);
  }
  static OutboxRecord Read(Data stored);
  // A row {key, value} of the outbox. None: it is damaged, so that it cannot be sent, confirmed and
  // removed, and its mutations are grouped again. The record of a newer version is read as it is.
  static std::optional<OutboxRecord> ReadRow(const Data& row);
  Data Write() const;

  bool received() const { return state == OutboxState::kReceived; }
};

// OutboxRecord::sent; 0 if the update was sent, and that was not noted. None: its actions were never sent.
inline std::optional<double> SentAt(const OutboxRecord& update) {
  return update.state == OutboxState::kNew ? update.sent : update.sent.value_or(0);
}

}  // namespace skerry

#endif  // SKERRY_LOG_OUTBOX_RECORD_H_
