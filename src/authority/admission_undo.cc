// What an admission notes for ops that undo actions (docs/design.md, "Undo").
#include <utility>

#include "authority/admission.h"

namespace skerry {

void Admission::NoteUndone(const Update& update) {
  for (const Op& op : update.ops) {
    if (!op.of.empty()) undone_.insert(op.of);
  }
}

// For the updates of this admission that undo it.
void Admission::NoteDone(const LogEntry& entry, const Vector<LogChange>& changes) {
  if (undone_.empty()) return;
  for (const Data& action : entry.actions.items()) {
    const ActionInLog which{entry.realm, action["id"].as_string()};
    if (!undone_.contains(which.id) || !known_actions_.contains({which.realm, which.id})) continue;
    DoneEntry done;
    done.revision = entry.revision;
    done.has_rows = true;
    for (const LogChange& change : changes) {
      const bool is_of_it = change.realm == entry.realm && change.before && !change.is_touch;
      if (is_of_it) done.AddRow(*schema_, change.key, *change.before);
    }
    done.ReadDeletes(*schema_, which.id, entry.ops, entry.actions);
    rows_.LoadEntry(which, std::move(done));
  }
}

// The actions that undo nothing: none of their ops has an effect, because the log does not have what
// they undo.
Set<uint32_t> Admission::VainActions(const Update& update, const Judgement& judgement) {
  Set<uint32_t> vain;
  for (const uint32_t place : judgement.vain) vain.insert(update.ops[place].by[0]);
  if (vain.empty()) return vain;
  const Set<uint32_t> ops(judgement.vain.begin(), judgement.vain.end());
  for (uint32_t place = 0; place < update.ops.size(); ++place) {
    if (!ops.contains(place)) vain.erase(update.ops[place].by[0]);
  }
  return vain;
}

}  // namespace skerry
