// Admission's consequences of what other programs have written: they write rows without asking anybody, and the
// cascade rules are carried out in an entry of its own that follows theirs.
#include <utility>

#include "authority/admission.h"
#include "authority/cascade.h"

namespace skerry {

Admission::Outcome Admission::RunOwed() {
  const wire::OwedConsequences& owed = *input_.owed;
  const Map<std::string, Right> no_rights;
  Scene scene;
  scene.schema = schema_;
  scene.rows = &rows_;
  scene.realms = &input_.realms;
  scene.rights = &no_rights;
  scene.locks = &locks_;
  scene.client = owed.client;
  scene.user = owed.user;
  scene.at = at_;
  scene.may_all = true;
  rows_.Begin();
  Cascade cascade(&scene, {});
  for (const auto& [realm, name, id] : owed.rows) {
    // A table that is no more has no rules.
    const TableIndex table = schema_->FindTable(name);
    if (table != kNone) cascade.Owe({realm, {table, id}});
  }
  cascade.Run();
  if (rows_.has_needs() || !locks_.empty()) {
    rows_.Rollback();
    return rows_.has_needs() ? Outcome::kNeeds : Outcome::kLock;
  }
  rows_.KeepStep();
  unmet_ = cascade.violations().size();
  LogInOneName(owed.client, owed.user, owed.update, cascade.touched());
  rows_.Commit();
  return Outcome::kDone;
}

}  // namespace skerry
