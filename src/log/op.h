// Ops, actions, mutations and updates: what is logged and pushed. docs/design.md defines the words
// ("Vocabulary") and the merging ("Objects and ops").
//
// TraitsOf describes each kind of op once. Code that handles kinds differently uses a switch
// without default, so that it does not compile until it handles a new kind (CONTRIBUTING.md, "Add
// an op kind"). All other code asks for traits, or reads the members that hold an op's content. It
// never compares with a kind (test/tidy checks that).
#ifndef SKERRY_LOG_OP_H_
#define SKERRY_LOG_OP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

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
  kAppend = 6,
  kOffer = 7,   // a create of what the server may have lost
  kRestore = 8  // a row that an action has deleted comes back
};

// The traits of a kind, as bits. All code may ask for them.
enum OpTrait : uint8_t {
  kOnRow = 1,      // it names an object: a table and an id
  kCreates = 2,    // it makes the row if that is missing
  kDeletes = 4,    // the row is gone afterwards
  kMoves = 8,      // the row is in the realm `to` afterwards
  kOnStream = 16,  // it names a stream
  kOnlyNew = 32,   // it changes nothing if the row is there, or was deleted
  kRestores = 64   // the server has the row: `set` is what the client knows of it
};

// 0 if there is no such kind.
constexpr uint8_t TraitsOf(OpKind kind) {
  switch (kind) {
    case OpKind::kCreate:
      return kOnRow | kCreates;
    case OpKind::kUpdate:
      return kOnRow;
    case OpKind::kInc:
      return kOnRow;
    case OpKind::kDelete:
      return kOnRow | kDeletes;
    case OpKind::kMove:
      return kOnRow | kMoves;
    case OpKind::kAppend:
      return kOnStream;
    case OpKind::kOffer:
      return kOnRow | kCreates | kOnlyNew;
    case OpKind::kRestore:
      return kOnRow | kCreates | kRestores;
  }
  return 0;
}

struct PropValue {
  PropIndex prop = kNone;
  Value value;
  bool for_new = false;  // a default: a row that has a value keeps it
  friend bool operator==(const PropValue&, const PropValue&) = default;
};
struct PropAdd {
  PropIndex prop = kNone;
  double by = 0;
  friend bool operator==(const PropAdd&, const PropAdd&) = default;
};

struct Op {
  OpKind kind = OpKind::kUpdate;
  TableIndex table = kNone;  // kNone without kOnRow
  std::string id;
  std::string realm;
  // The content. Members that the kind does not use are empty. Count new members in content_bytes.
  std::string to;         // kMove: the target realm
  std::string stream;     // kAppend
  Vector<PropValue> set;  // sorted by prop; null clears the prop
  // kUpdate: each prop of `set` is only set where the row has this value. Empty: it is set in any case.
  Vector<PropValue> was;
  Vector<PropAdd> add;  // sorted by prop
  // kRestore: when the row was made, ms. None: the client does not know the row.
  std::optional<double> created_at;
  Vector<uint32_t>
      by;  // indexes into the actions of the mutation or update; never empty, ascending
  std::optional<uint64_t> if_revision;
  // The action that the op undoes. The op has no effect unless that is in the log. Empty: it undoes none.
  std::string of;
  friend bool operator==(const Op&, const Op&) = default;

  bool Has(OpTrait trait) const { return (TraitsOf(kind) & trait) != 0; }
  // The key without a realm, as the authority has it. REQUIRES: Has(kOnRow)
  ObjectKey key() const { return {table, id}; }
  // Estimates the size of the content when it is written, without the names of props.
  size_t content_bytes() const {
    size_t bytes = to.size() + stream.size() + of.size() + add.size() * 16;
    for (const PropValue& change : set) bytes += 16 + change.value.text().size();
    for (const PropValue& change : was) bytes += 16 + change.value.text().size();
    return bytes;
  }
};

// The key that a client has for the object of the op. REQUIRES: Has(kOnRow)
inline ObjectKey KeyOf(const Schema& schema, const Op& op) {
  return KeyIn(schema, op.table, op.id, op.realm);
}

// Whether the test holds for an object, by a client's key, to which a ref leads that the op sets.
template <typename Test>
bool AnyRef(const Schema& schema, const Op& op, Test test) {
  for (const PropValue& set : op.set) {
    const TableIndex target = schema.table(op.table).props[set.prop].ref_table;
    if (target == kNone || set.value.is_null()) continue;
    if (test(KeyIn(schema, target, set.value.text(), op.realm))) return true;
  }
  return false;
}

// The props of a row that are not null.
inline Vector<PropValue> SetOf(const Row& row) {
  Vector<PropValue> set;
  for (PropIndex i = 0; i < row.props.size(); ++i) {
    if (!row.props[i].is_null()) set.push_back({i, row.props[i]});
  }
  return set;
}

inline Op NewOp(OpKind kind, const ObjectKey& key, const std::string& realm) {
  Op op;
  op.kind = kind;
  op.table = key.table;
  op.id = key.id;
  op.realm = realm;
  return op;
}

// The ops on rows among `ops`, in order: `for (const Op& op : RowOps(ops))`. Code that looks up
// rows uses it to skip the other ops. REQUIRES: `ops` outlives it.
class RowOps {
 public:
  explicit RowOps(const Vector<Op>& ops) : ops_(&ops) {}
  class Iterator {
   public:
    Iterator(const Op* at, const Op* end) : at_(at), end_(end) { SkipOthers(); }
    const Op& operator*() const { return *at_; }
    Iterator& operator++() {
      ++at_;
      SkipOthers();
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    void SkipOthers() {
      while (at_ != end_ && !at_->Has(kOnRow)) ++at_;
    }
    const Op* at_;
    const Op* end_;
  };
  Iterator begin() const { return {ops_->data(), ops_->data() + ops_->size()}; }
  Iterator end() const { return {ops_->data() + ops_->size(), ops_->data() + ops_->size()}; }

 private:
  const Vector<Op>* ops_;
};

struct Action {
  std::string id;  // UUIDv7
  std::string name;
  std::string arg;  // JSON text; "null" without an argument
  double at = 0;    // ms, the client's estimate of the server's clock
  // It may be in the log already: it was made elsewhere, or is stored here for the second time.
  bool is_replayed = false;
  bool is_again = false;
  friend bool operator==(const Action&, const Action&) = default;
};

template <typename T>
using ByRealm = Vector<std::pair<std::string, T>>;  // sorted by realm, each at most once

struct Mutation {
  Action action;
  Vector<Op> ops;          // `by` = {0}
  ByRealm<uint64_t> base;  // revisions of the cursors when it was made
  friend bool operator==(const Mutation&, const Mutation&) = default;
};

// A link of a client's chain: the client's last update that was applied in a realm. seq 0 and an
// empty id: there is none.
struct Link {
  uint64_t seq = 0;
  std::string id;
  friend bool operator==(const Link&, const Link&) = default;
};

struct Update {
  std::string id;
  ByRealm<Link> after;
  ByRealm<uint64_t> base;
  double at = 0;
  Vector<Action> actions;
  Vector<Op> ops;
  friend bool operator==(const Update&, const Update&) = default;
};

}  // namespace skerry

#endif  // SKERRY_LOG_OP_H_
