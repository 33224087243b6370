// An entry of the inbox, as it is stored in `conflicts`: a mutation that was rejected, with what
// the user needs to decide.
//
// Later mutations on the same objects, mutations with a ref to an object that the rejected one
// created, and mutations in a realm that it would have founded are put into the inbox with it (code
// `depends`). They are also retried with it.
//
// The mutation was applied, but partly in vain: code `parent_deleted`, if its object was at once
// deleted together with the parent that it refers to; code and reason `row_deleted`, if the object
// that it would change had been deleted. There is such an entry for each object of a mutation, with
// all its ops on the object, as soon as the answer to the push or the confirming pull says so
// (sync/lost_work.h).
//
// Code and reason `overwritten`: the mutation was applied, and somebody who had not seen it has changed the
// same props since, or deleted the object. There is an entry for each object, with these props alone
// (sync/own_changes.h).
//
// Reason `dropped`: the schema in use, here or at the server, has no place for what the entry has.
// There is an entry for each object of a mutation. It stays until a schema has a place for it
// again, or the user discards it. Values of `mine` are as ValueAsItIs (log/left_out.h).
#ifndef SKERRY_LOG_CONFLICT_RECORD_H_
#define SKERRY_LOG_CONFLICT_RECORD_H_

#include <cstdint>
#include <optional>

#include "log/members.h"
#include "log/record_version.h"

namespace skerry {

inline constexpr char kParentDeleted[] = "parent_deleted";
// A rule of the application failed over it, at the server.
inline constexpr char kInternal[] = "internal";
// A reason: the schema has no place for it.
inline constexpr const char* kDropped = "dropped";
inline constexpr char kRowDeleted[] = "row_deleted";
inline constexpr char kOverwritten[] = "overwritten";

// The mutation, so that the user can make it again.
struct InboxMutation {
  std::string id;
  std::string name;
  double at = 0;
  std::string body;                   // of EncodeMutation
  std::optional<std::string> before;  // of EncodeRowsBefore
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("at", self.at);
    member.Bytes("body", self.body);
    member.Bytes("before", self.before);
  }
  friend bool operator==(const InboxMutation&, const InboxMutation&) = default;
};

struct ConflictRecord {
  double version = kRecordVersion;
  std::optional<std::string> table;  // of the object; table and id are null if it is not known
  std::optional<std::string> id;
  std::string reason;  // "rejected", "revoked", "row_deleted", "overwritten" or "dropped"
  std::string code;
  std::string detail;
  Data mine;  // what the mutation wanted of the object: {prop: value}; null: its deletion
  double at = 0;
  InboxMutation mutation;
  std::optional<std::string> depends_on;  // the id of the mutation because of which it is here
  // The entry has a part of the mutation, and the rest was made, or is in other entries.
  std::optional<bool> part;
  // Of code `internal`: the version of the schema under which it was refused. The mutation is made again by
  // the next release.
  std::optional<uint64_t> schema;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("table", self.table);
    member("id", self.id);
    member("reason", self.reason);
    member("code", self.code);
    member("detail", self.detail);
    member("mine", self.mine);
    member("at", self.at);
    member("mutation", self.mutation);
    member.Optional("dependsOn", self.depends_on);
    member.Optional("part", self.part);
    member.Optional("schema", self.schema);
  }
  static ConflictRecord Read(Data stored);
  Data Write() const;
};

}  // namespace skerry

#endif  // SKERRY_LOG_CONFLICT_RECORD_H_
