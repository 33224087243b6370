#include "authority/restore.h"

#include <optional>
#include <utility>

#include "authority/row_data.h"

namespace skerry {
namespace {

class Restoring {
 public:
  Restoring(Scene* scene, const DoneEntry& entry, const std::string& realm)
      : scene_(*scene), entry_(entry), realm_(realm) {}

  Vector<PlacedKey> Run(const ObjectKey& key) {
    if (!WasDeleted(key)) return {};
    Put(key, entry_.before.at(key));
    Vector<ObjectKey> back = {key};
    for (size_t i = 0; i < back.size(); ++i) {
      const auto refs = entry_.refs.find(back[i]);
      if (refs == entry_.refs.end()) continue;
      for (const DoneEntry::Ref& ref : refs->second) {
        if (PutBack(ref)) back.push_back(ref.from);
      }
    }
    return std::move(changed_);
  }

  Vector<PlacedKey> Make(const Op& op) {
    Row row;
    row.realm = realm_;
    row.created_at = scene_.at;
    row.props.resize(scene_.schema->table(op.table).props.size());
    for (const PropValue& set : op.set) row.props[set.prop] = set.value;
    Put(op.key(), std::move(row));
    return std::move(changed_);
  }

 private:
  // Returns whether the row comes back. One that is there gets its ref back.
  bool PutBack(const DoneEntry::Ref& ref) {
    const Row& before = entry_.before.at(ref.from);
    const Row* row = scene_.rows->Find({realm_, ref.from});
    switch (scene_.schema->table(ref.from.table).props[ref.prop].on_delete) {
      case OnDelete::kCascade:
        if (row || !WasDeleted(ref.from)) return false;
        Put(ref.from, before);
        return true;
      case OnDelete::kSetNull: {
        if (!row || !row->props[ref.prop].is_null()) return false;
        Row changed = *row;
        changed.props[ref.prop] = before.props[ref.prop];
        Put(ref.from, std::move(changed));
        return false;
      }
      case OnDelete::kRestrict:
      case OnDelete::kNothing:
        return false;
    }
    return false;
  }

  // Whether this action has deleted the row, and nothing has happened to it since.
  bool WasDeleted(const ObjectKey& key) {
    if (entry_.deleted_by_others.contains(key) || !entry_.before.contains(key)) return false;
    const std::optional<uint64_t> deleted = scene_.rows->DeletedAt({realm_, key});
    return deleted && *deleted == entry_.revision;
  }

  void Put(const ObjectKey& key, Row row) {
    SetDefaults(scene_.schema->table(key.table), &row);
    row.modified_at = scene_.at;
    row.revision = scene_.NextRevision(realm_);
    scene_.rows->Put(key, std::move(row));
    changed_.push_back({realm_, key});
  }

  Scene& scene_;
  const DoneEntry& entry_;
  const std::string& realm_;
  Vector<PlacedKey> changed_;
};

}  // namespace

Vector<PlacedKey> RestoreRows(Scene* scene, const Op& op, const PlacedKey& key,
                              const DoneEntry& entry) {
  Restoring restoring(scene, entry, key.realm);
  const bool is_untouched =
      !scene->rows->WasThere(key) || scene->rows->DeletedAt(key) == entry.revision;
  const bool is_made_there = op.created_at && !entry.before.contains(key.object) && is_untouched;
  return is_made_there ? restoring.Make(op) : restoring.Run(key.object);
}

}  // namespace skerry
