#include "client/lost_changes.h"

#include <optional>
#include <utility>

#include "log/codec.h"
#include "log/left_out.h"
#include "log/mutation_record.h"
#include "log/own_record.h"
#include "log/transaction_builder.h"

namespace skerry {
namespace {

// What the op set, and what is now lost of it.
Op LostPart(const View& view, const Op& op, const LostCause& cause) {
  const std::optional<Row> base = view.GetBase(op.realm, KeyOf(view.schema(), op));
  Op lost = op;
  const auto is_taken = [&](PropIndex prop) {
    return !cause.props.empty() &&
           !cause.props.contains(view.schema().table(op.table).props[prop].name);
  };
  erase_if(lost.set, [&](const PropValue& set) {
    return is_taken(set.prop) || (base && !(base->props[set.prop] == set.value));
  });
  erase_if(lost.add, [&](const PropAdd& add) { return is_taken(add.prop); });
  return lost;
}

bool IsStillLost(const View& view, const Op& lost) {
  const bool is_there = view.GetBase(lost.realm, KeyOf(view.schema(), lost)).has_value();
  if (lost.Has(kDeletes) || lost.Has(kMoves)) return !is_there;
  return !lost.set.empty() || !lost.add.empty();
}

ConflictRecord EntryOf(const Schema& schema, const OwnRecord& own, const Action& action,
                       Vector<Op> ops, const LostCause& cause, double now) {
  const bool is_of_others = cause.code == kOverwritten || cause.code == kRowDeleted;
  ConflictRecord entry;
  entry.reason = is_of_others ? cause.code : "rejected";
  entry.code = cause.code;
  entry.detail = cause.detail;
  if (ops[0].Has(kOnRow)) {
    entry.table = schema.table(ops[0].table).name;
    entry.id = ops[0].id;
    entry.mine = ShownOps(schema, ops, &schema);
  }
  entry.at = now;
  entry.part = true;  // the rest has come back, or is in other entries
  Mutation mutation;
  mutation.action = action;
  mutation.ops = std::move(ops);
  entry.mutation = {own.id, own.name, own.at, EncodeMutation(schema, mutation), own.before, {}};
  return entry;
}

}  // namespace

Vector<ConflictRecord> TakeLostChanges(const View& view, const NotTaken& lost, double now,
                                       OwnRecord* own) {
  const Schema& schema = view.schema();
  const LostCause moved{
      "history_lost", "The server was restored to an earlier state, and takes no moves back.", {}};
  Vector<ConflictRecord> entries;
  const auto revision = own->revisions.find(lost.realm);
  if (revision == own->revisions.end() || revision->second <= lost.common) return entries;
  Result<Mutation> read = DecodeMutation(schema, own->body);
  if (!read.ok()) return entries;
  const auto add = [&](Vector<Op> ops, const LostCause& cause) {
    if (ops.empty()) return false;
    entries.push_back(EntryOf(schema, *own, read.value().action, std::move(ops), cause, now));
    return true;
  };
  const auto refused = lost.actions.find(own->id);
  const bool is_refused = refused != lost.actions.end();
  if (is_refused || lost.all) {
    Vector<Op> appends;
    erase_if(read.value().ops, [&](const Op& op) {
      const bool is_lost = op.Has(kOnStream) && op.realm == lost.realm;
      if (is_lost) appends.push_back(op);
      return is_lost;
    });
    if (add(std::move(appends), is_refused ? refused->second : *lost.all))
      own->body = EncodeMutation(schema, read.value());
  }
  erase_if(own->keys, [&](const std::string& object) {
    const auto named = lost.objects.find(object);
    const LostCause* cause = named != lost.objects.end() ? &named->second : nullptr;
    if (cause == nullptr && lost.all) cause = &*lost.all;
    Vector<Op> ops;
    for (const Op& op : RowOps(read.value().ops)) {
      const bool is_of_it = ObjectText(schema, op.table, op.id, op.realm) == object;
      if (!is_of_it || op.realm != lost.realm) continue;
      if (cause == nullptr && op.Has(kMoves)) cause = &moved;
      if (cause == nullptr) continue;
      ops.push_back(LostPart(view, op, *cause));
      if (!IsStillLost(view, ops.back())) ops.pop_back();
    }
    return cause != nullptr && add(std::move(ops), *cause);
  });
  return entries;
}

}  // namespace skerry
