#include "log/ref_closure.h"

namespace skerry {

void AppendChildren(const Refs& refs, const BackRef& back, const ObjectKey& target,
                    Vector<ObjectKey>* children) {
  for (auto it = refs.lower_bound({target, {back.table, ""}, 0}); it != refs.end(); ++it) {
    const auto& [of, child, prop] = *it;
    if (of != target || child.table != back.table) return;
    if (prop == back.prop) children->push_back(child);
  }
}

void WalkDependants(const Schema& schema, Rules rules, Vector<Departure>* left,
                    DependantVisitor* visitor) {
  for (size_t i = 0; i < left->size(); ++i) {
    const Departure parent = (*left)[i];
    ForEachBindingRef(schema, parent.key.table, rules, [&](const BackRef& back, OnDelete rule) {
      for (const ObjectKey& child : visitor->Children(back, parent)) {
        if (!visitor->IsIn(child, parent.realm)) continue;
        if (visitor->Visit(parent, child, back.prop, rule))
          left->push_back({child, parent.realm, parent.to});
      }
    });
  }
  left->clear();
}

}  // namespace skerry
