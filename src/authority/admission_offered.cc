// Admission's rows of a history that was lost: a client gives them back after the server was restored
// (offered.h). Each is judged as an update is, by itself: what is refused does not keep the others away.
// All that is taken is one entry, of a client of its own, so that whoever offered it is sent it, too.
#include <utility>

#include "authority/admission.h"
#include "authority/former_schema.h"
#include "authority/older_update.h"
#include "base/limits.h"
#include "log/codec.h"

namespace skerry {
namespace {

constexpr char kSince[] = "somebody has changed or deleted it since the server was restored";

Result<Op> ReadOffer(const Schema& schema, const wire::OfferedRows& offered, Data data) {
  Vector<std::string> props;
  if (offered.version < schema.version() && !TrimOp(schema, &data, &props))
    return Status(Code::kUnknownTable, "the schema has no such table any more");
  Result<Op> op = OpFromData(schema, data, 1);
  if (!op.ok()) return op;
  const Op& read = op.value();
  if (!read.Has(kOnlyNew) || read.realm != offered.realm)
    return Status(Code::kInvalidArgument, "rows of one realm are offered");
  if (read.table == schema.members())
    return Status(Code::kInvalidArgument, "memberships are not offered as rows");
  return op;
}

}  // namespace

void Admission::LoadSince(const Vector<wire::ChangedSince>& changes) {
  for (const wire::ChangedSince& since : changes) {
    const ObjectKey key{schema_->FindTable(since.table), since.id};
    rows_.LoadChanges({{since.realm, key}, since.above}, ReadHistory(*schema_, key.table, since));
  }
}

Admission::Outcome Admission::RunOffered() {
  const wire::OfferedRows& offered = *input_.offered;
  if (input_.validates && !offer_rules_) offer_rules_.emplace(schema_);
  DropQuestions();
  ++rounds_;
  Scene scene;
  scene.schema = schema_;
  scene.rows = &rows_;
  scene.realms = &input_.realms;
  const Map<std::string, Right> none;
  scene.rights = input_.rights.empty() ? &none : &input_.rights[0];
  scene.locks = &locks_;
  scene.client = offered.client;
  scene.user = offered.user;
  scene.at = at_;
  scene.asks_consent = input_.asks_consent;
  if (offer_rules_) scene.app_rules = &*offer_rules_;
  rows_.Begin();
  wire::OffersTaken out;
  out.forbidden = scene.AccessIn(offered.realm) != Access::kWritable;
  if (rows_.has_needs()) {
    rows_.Rollback();
    return Outcome::kNeeds;
  }
  const std::optional<Schema> former = NamedAs(static_cast<uint32_t>(offered.version), *schema_);
  const Schema& named = former ? *former : *schema_;
  Update update;
  Set<PlacedKey> touched, changed;
  Map<PlacedKey, double> taken;  // and when each was changed so
  const Data::Array& ops = offered.ops.items();
  const size_t count = out.forbidden ? 0 : std::min(ops.size(), offered.times.size());
  for (; out.done < count; ++out.done) {
    const auto place = static_cast<uint32_t>(out.done);
    update.actions.push_back({offered.update, "skerry/offer", "null", at_});
    const bool is_full = rows_.changed_objects() > kMaxRowsPerUpdate || judged_ > kMaxAdmissionWork;
    if (is_full && out.taken > 0) break;
    Result<Op> offer = ReadOffer(*schema_, offered, ops[place]);
    if (!offer.ok()) {
      out.refused.push_back({place, CodeName(offer.status().code()), offer.status().detail(), {}});
      continue;
    }
    const PlacedKey key{offered.realm, offer.value().key()};
    const TableDef& names = named.table(key.object.table);
    const Row* now = rows_.Find(key);
    const RowHistory* history = rows_.ChangesOf({key, offered.common});
    // All rows are asked for at once.
    if (history == nullptr || rows_.has_needs()) continue;
    if (rows_.MovedTo(key) != nullptr) continue;
    OfferMerge merge = MergeOffer(offer.value(), offered.times[place], now, *history);
    if (merge.kept != nullptr) {
      wire::RefusedOffer& kept = out.refused.emplace_back();
      kept = {place, merge.kept, kSince, {}};
      for (const PropIndex prop : merge.props) kept.props.push_back(names.props[prop].name);
    }
    if (!merge.op) continue;
    merge.op->by = {place};
    update.ops.push_back(std::move(*merge.op));
    const auto last = static_cast<uint32_t>(update.ops.size() - 1);
    Judgement judged = JudgeStep(&scene, update, {last});
    judged_ += 1 + rows_.changed_in_step();
    if (!judged.rejections.empty() || rows_.changed_in_step() > kMaxRowsPerUpdate) {
      rows_.DropStep();
      const bool is_broken = !judged.rejections.empty();
      out.refused.push_back({place,
                             is_broken ? judged.rejections[0].code : "limit",
                             is_broken ? judged.rejections[0].detail : "it changes too many rows",
                             {}});
      continue;
    }
    // It was deleted at once, with its parent.
    if (!judged.gone.empty()) {
      rows_.DropStep();
      continue;
    }
    for (const auto& [row, before] : rows_.journal())
      (judged.touched.contains(row) ? touched : changed).insert(row);
    taken[key] = offered.times[place];
    ++out.taken;
    rows_.KeepStep();
  }
  judged_ = 0;
  const bool asks_rules = offer_rules_ && offer_rules_->has_questions();
  const bool is_incomplete = rows_.has_needs() || !locks_.empty();
  if (is_incomplete || asks_rules) {
    rows_.Rollback();
    if (rows_.has_needs()) return Outcome::kNeeds;
    return locks_.empty() ? Outcome::kRules : Outcome::kLock;
  }
  if (offer_rules_ && offer_rules_->failure()) {
    failed_.push_back({offered.client, offered.update, *offer_rules_->failure()});
    rows_.Rollback();
    return Outcome::kDone;
  }
  offers_ = std::move(out);
  for (const PlacedKey& key : changed) touched.erase(key);
  LogInOneName(offered.client, offered.user, offered.update, touched);
  for (LogChange& change : changes_) {
    const auto found = taken.find({change.realm, change.key});
    if (found != taken.end() && !change.is_touch) change.offered = found->second;
  }
  rows_.Commit();
  return Outcome::kDone;
}

}  // namespace skerry
