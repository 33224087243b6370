// What depends on an object through refs, when that object leaves its realm: when it is deleted, or
// moves to another. The window's cascade, the authority's, the moves that a transaction logs, and
// grouping walk through here. What a rule does to a dependant is the caller's policy, and so is
// whether the dependant leaves in its turn.
//
// A ref binds rows of one realm: a dependant stands in the realm that the object left. A ref whose
// rule is kNothing binds nothing.
#ifndef SKERRY_LOG_REF_CLOSURE_H_
#define SKERRY_LOG_REF_CLOSURE_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "base/map.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// A row that left a realm.
struct Departure {
  ObjectKey key;
  std::string realm;  // that it left
  std::string to;     // that it moved to; empty: it was deleted
};

// A set of rules, as bits.
enum Rules : uint8_t {
  kCascadeOnly = 1 << static_cast<int>(OnDelete::kCascade),
  kCascadeOrNull = kCascadeOnly | 1 << static_cast<int>(OnDelete::kSetNull),
  kAllRules = kCascadeOrNull | 1 << static_cast<int>(OnDelete::kRestrict),
  kNullOrRestrict = kAllRules & ~kCascadeOnly,
};

// Refs by their target: (target, child, prop).
using Refs = Set<std::tuple<ObjectKey, ObjectKey, PropIndex>>;
// Appends the children whose ref `back` names the target.
void AppendChildren(const Refs& refs, const BackRef& back, const ObjectKey& target,
                    Vector<ObjectKey>* children);

// Of a prop that refers to the table, by one of these rules: visit(back, rule).
template <typename Visit>
void ForEachBindingRef(const Schema& schema, TableIndex target, Rules rules, const Visit& visit) {
  for (const BackRef& back : schema.back_refs(target)) {
    const OnDelete rule = schema.table(back.table).props[back.prop].on_delete;
    if (rules >> static_cast<int>(rule) & 1) visit(back, rule);
  }
}

// The rows of a walk, and what is done to them.
class DependantVisitor {
 public:
  // All rows whose ref names the target, in any realm.
  virtual Vector<ObjectKey> Children(const BackRef& back, const ObjectKey& target) = 0;
  virtual bool IsIn(const ObjectKey& key, const std::string& realm) = 0;
  // Whether the child leaves, too, to where its parent went. REQUIRES: true at most once of a row.
  virtual bool Visit(const Departure& parent, const ObjectKey& child, PropIndex prop,
                     OnDelete rule) = 0;

 protected:
  ~DependantVisitor() = default;
};

// Walks from the rows in `left` to their dependants by these rules, and on from those that leave:
// breadth first and without recursion, so that deep data take no stack. `left` is empty afterwards.
void WalkDependants(const Schema& schema, Rules rules, Vector<Departure>* left,
                    DependantVisitor* visitor);

}  // namespace skerry

#endif  // SKERRY_LOG_REF_CLOSURE_H_
