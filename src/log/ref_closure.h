// Finds the rows that depend, by refs, on an object that leaves its realm because it is deleted or
// moved to another realm. Used by the window's cascade, by the authority's cascade, by the moves
// that a transaction logs, and by grouping. The caller decides what a rule does to a dependant, and
// whether the dependant leaves, too.
//
// A ref binds rows of the same realm only: a dependant is in the realm that the object left. A ref
// with the rule kNothing binds no rows.
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
  std::string realm;  // the realm that it left
  std::string to;     // the realm that it moved to; empty: it was deleted
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

// Calls visit(back, rule) for each prop that refers to the table by one of these rules.
template <typename Visit>
void ForEachBindingRef(const Schema& schema, TableIndex target, Rules rules, const Visit& visit) {
  for (const BackRef& back : schema.back_refs(target)) {
    const OnDelete rule = schema.table(back.table).props[back.prop].on_delete;
    if (rules >> static_cast<int>(rule) & 1) visit(back, rule);
  }
}

// Gives a walk its rows, and decides what is done to them.
class DependantVisitor {
 public:
  // All rows whose ref names the object that left, at least those of its realm.
  virtual Vector<ObjectKey> Children(const BackRef& back, const Departure& parent) = 0;
  virtual bool IsIn(const ObjectKey& key, const std::string& realm) = 0;
  // Returns whether the child leaves, too, to where its parent went. REQUIRES: true at most once
  // for each row.
  virtual bool Visit(const Departure& parent, const ObjectKey& child, PropIndex prop,
                     OnDelete rule) = 0;

 protected:
  ~DependantVisitor() = default;
};

// Walks from the rows in `left` to their dependants by these rules, and from the dependants that
// leave to theirs. Breadth first and without recursion, so deeply nested data need no stack. `left`
// is empty afterwards.
void WalkDependants(const Schema& schema, Rules rules, Vector<Departure>* left,
                    DependantVisitor* visitor);

}  // namespace skerry

#endif  // SKERRY_LOG_REF_CLOSURE_H_
