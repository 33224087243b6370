#include "test/core/model_check/stored_rows.h"

namespace skerry::test {

void LoadNeeded(const std::map<ObjectKey, StoredRow>& stored, const Needs& needs,
                WorkingSet* rows) {
  for (const ObjectKey& key : needs.rows) {
    if (const auto row = stored.find(key); row != stored.end()) rows->Load(row->second);
  }
  for (const auto& [key, row] : stored) {
    if (row.deleted_at) continue;
    bool wanted = false;
    for (const ChildrenOf& children : needs.children) {
      wanted = wanted ||
               (children.table == key.table && row.row.props[children.prop].text() == children.id);
    }
    for (const HoldersOf& holders : needs.holders) {
      wanted = wanted || (holders.table == key.table && holders.realm == row.row.realm);
    }
    if (wanted) rows->Load(row);
  }
  for (const OthersOf& others : needs.others) rows->LoadOthers(others, 0);
}

}  // namespace skerry::test
