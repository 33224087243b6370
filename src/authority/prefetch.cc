// What an update asks for before it is judged, as far as its ops say it.
#include "authority/judgement.h"
#include "log/ref_closure.h"

namespace skerry {

std::optional<uint32_t> UndoneIn(const Update& update, const Op& op) {
  for (uint32_t place = 0; !op.by.empty() && place < op.by[0]; ++place) {
    if (update.actions[place].id == op.of) return place;
  }
  return std::nullopt;
}

std::optional<uint64_t> BaseIn(const Update& update, std::string_view realm) {
  for (const auto& [name, revision] : update.base) {
    if (name == realm) return revision;
  }
  return std::nullopt;
}

void PrefetchRights(const Scene& scene, const Update& update) {
  for (const auto& [realm, link] : update.after) scene.RightIn(realm);
  for (const Op& op : update.ops) {
    scene.RightIn(op.realm);
    if (op.Has(kMoves)) scene.RightIn(op.to);
  }
}

void Prefetch(const Scene& scene, const Update& update) {
  for (const Op& op : update.ops) {
    const bool is_read = scene.RightIn(op.realm) != Right::kNone;
    if (is_read && !op.of.empty() && !UndoneIn(update, op))
      scene.rows->EntryOf({op.realm, op.of}, op.Has(kRestores));
    if (!op.Has(kOnRow)) continue;
    // Of a realm that is hidden from the author nothing is read.
    if (op.Has(kMoves) && scene.RightIn(op.to) != Right::kNone) {
      scene.rows->Find({op.to, op.key()});
    }
    if (!is_read) continue;
    scene.rows->Find({op.realm, op.key()});
    const TableDef& table = scene.schema->table(op.table);
    for (const PropValue& set : op.set) {
      const PropDef& prop = table.props[set.prop];
      if (set.value.is_null()) continue;
      if (prop.ref_table != kNone && (prop.on_delete != OnDelete::kNothing || prop.touch)) {
        scene.rows->Find({op.realm, {prop.ref_table, set.value.text()}});
      }
      if (prop.unique) {
        scene.rows->Holders(scene.rows->HoldersKey(op.table, set.prop, op.realm, set.value));
      }
    }
    if (!op.Has(kDeletes) && !op.Has(kMoves)) continue;
    ForEachBindingRef(*scene.schema, op.table, kAllRules, [&](const BackRef& back, OnDelete) {
      scene.rows->Children({op.realm, back.table, back.prop, op.id});
    });
  }
}

}  // namespace skerry
