// Ops, actions, mutations and updates: what is logged and pushed. docs/design.md defines
// the words ("Vocabulary") and the merging ("Objects and ops").
#ifndef SKERRY_LOG_OP_H_
#define SKERRY_LOG_OP_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "base/string.h"
#include "base/vector.h"
#include "model/row.h"

namespace skerry {

// Persisted: never renumber.
enum class OpKind : uint8_t {
  kCreate = 1,
  kUpdate = 2,
  kInc = 3,
  kDelete = 4,
  kMove = 5,
  kAppend = 6
};

struct PropValue {
  PropIndex prop = kNone;
  Value value;
  bool for_new = false;  // nobody said it: what is there already keeps what it has
  friend bool operator==(const PropValue&, const PropValue&) = default;
};
struct PropAdd {
  PropIndex prop = kNone;
  double by = 0;
  friend bool operator==(const PropAdd&, const PropAdd&) = default;
};

struct Op {
  OpKind kind = OpKind::kUpdate;
  TableIndex table = kNone;  // kNone for kAppend
  String id;
  String realm;
  String to;              // kMove: the target realm
  String stream;          // kAppend
  Vector<PropValue> set;  // kCreate, kUpdate; sorted by prop; null unsets
  Vector<PropAdd> add;    // kInc; sorted by prop
  Vector<uint32_t>
      by;  // indexes into the actions of the mutation or update; never empty, ascending
  std::optional<uint64_t> if_revision;
  friend bool operator==(const Op&, const Op&) = default;
};

struct Action {
  String id;  // UUIDv7
  String name;
  String arg;     // JSON text; "null" where there is none
  double at = 0;  // ms, the client's estimate of the server's clock
  friend bool operator==(const Action&, const Action&) = default;
};

template <typename T>
using ByRealm = Vector<std::pair<String, T>>;  // sorted by realm, each at most once

struct Mutation {
  Action action;
  Vector<Op> ops;          // `by` = {0}
  ByRealm<uint64_t> base;  // cursor revisions when it was made
  friend bool operator==(const Mutation&, const Mutation&) = default;
};

// A link of a client's chain: the client's update last applied in a realm. seq 0 and an empty id
// mean none.
struct Link {
  uint64_t seq = 0;
  String id;
  friend bool operator==(const Link&, const Link&) = default;
};

struct Update {
  String id;
  ByRealm<Link> after;
  ByRealm<uint64_t> base;
  double at = 0;
  Vector<Action> actions;
  Vector<Op> ops;
  friend bool operator==(const Update&, const Update&) = default;
};

}  // namespace skerry

#endif  // SKERRY_LOG_OP_H_
