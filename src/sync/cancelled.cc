#include "sync/cancelled.h"

#include <algorithm>
#include <string>

#include "base/map.h"

namespace skerry {
namespace {

// The action that all of the mutation undoes; "" if it is no undo.
const std::string& UndoneBy(const Mutation& mutation) {
  static const std::string none;
  const Vector<Op>& ops = mutation.ops;
  if (ops.empty() || ops[0].of.empty()) return none;
  const bool is_one =
      std::all_of(ops.begin(), ops.end(), [&](const Op& op) { return op.of == ops[0].of; });
  return is_one ? ops[0].of : none;
}

// The objects that the mutation changes, those to which its refs lead, and its streams: what an
// action does to the state of a stream depends on those before it.
Set<ObjectKey> ObjectsOf(const Schema& schema, const Mutation& mutation) {
  Set<ObjectKey> objects;
  for (const Op& op : mutation.ops) {
    if (!op.Has(kOnRow)) {
      objects.insert({kNone, op.stream, op.realm});
      continue;
    }
    objects.insert(KeyOf(schema, op));
    AnyRef(schema, op, [&](const ObjectKey& target) {
      objects.insert(target);
      return false;
    });
  }
  return objects;
}

}  // namespace

Vector<bool> FindCancelled(const Schema& schema, const Vector<Mutation>& mutations) {
  Vector<bool> cancelled(mutations.size());
  Set<std::string> undone;  // by those that are pushed
  // From the last one on: what was redone is not undone.
  for (size_t i = mutations.size(); i > 0; --i) {
    const Mutation& undo = mutations[i - 1];
    const std::string& of = UndoneBy(undo);
    if (cancelled[i - 1] || of.empty() || !undone.insert(of).second) continue;
    Set<ObjectKey> between;
    for (size_t j = i - 1; j > 0; --j) {
      const Mutation& before = mutations[j - 1];
      if (cancelled[j - 1]) continue;
      const Set<ObjectKey> objects = ObjectsOf(schema, before);
      if (before.action.id != of) {
        between.insert(objects.begin(), objects.end());
        continue;
      }
      const auto is_free = [&](const Set<ObjectKey>& all) {
        return std::none_of(all.begin(), all.end(),
                            [&](const ObjectKey& key) { return between.contains(key); });
      };
      if (is_free(objects) && is_free(ObjectsOf(schema, undo)))
        cancelled[i - 1] = cancelled[j - 1] = true;
      break;
    }
  }
  return cancelled;
}

}  // namespace skerry
