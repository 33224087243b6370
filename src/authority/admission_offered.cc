// Admission's rows of a history that was lost: a client gives them back after the server was restored
// (offered.h). Each is judged as an update is, by itself: what is refused does not keep the others away.
// All that is taken is one entry, of a client of its own, so that whoever offered it is sent it, too.
#include <utility>

#include "authority/admission.h"
#include "authority/former_schema.h"
#include "authority/older_update.h"
#include "base/limits.h"
#include "log/codec.h"
#include "log/conflict_record.h"

namespace skerry {
namespace {

constexpr char kSince[] = "somebody has changed or deleted it since the server was restored";
constexpr char kElsewhere[] = "it is in another realm";
constexpr char kNoParent[] = "its parent is not there";

Result<Op> ReadOffer(const Schema& schema, const wire::OfferedRows& offered, Data data) {
  Vector<std::string> props;
  if (offered.version < schema.version() && !TrimOp(schema, &data, &props))
    return Status(Code::kUnknownTable, "the schema has no such table any more");
  Result<Op> op = OpFromData(schema, data, 1);
  if (!op.ok()) return op;
  const Op& read = op.value();
  if (!(read.Has(kOnlyNew) || read.Has(kDeletes)) || read.realm != offered.realm)
    return Status(Code::kInvalidArgument, "rows and deletes of one realm are offered");
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

// What becomes of the offers of one request.
struct Admission::OfferRun {
  Scene scene;
  const Schema* names;  // as the client names tables and props
  wire::OffersTaken out;
  Update update;
  Set<PlacedKey> touched, changed;
  Map<PlacedKey, double> taken;  // and when each was changed so
  Set<PlacedKey> gone;           // of them, rows that are not there
};

Admission::Outcome Admission::RunOffered() {
  const wire::OfferedRows& offered = *input_.offered;
  if (input_.validates && !offer_rules_) offer_rules_.emplace(schema_);
  DropQuestions();
  ++rounds_;
  const Map<std::string, Right> none;
  const std::optional<Schema> former = NamedAs(static_cast<uint32_t>(offered.version), *schema_);
  OfferRun run;
  run.names = former ? &*former : schema_;
  run.scene =
      SceneFor(offered.client, offered.user, input_.rights.empty() ? none : input_.rights[0]);
  if (offer_rules_) run.scene.app_rules = &*offer_rules_;
  rows_.Begin();
  run.out.forbidden = run.scene.AccessIn(offered.realm) != Access::kWritable;
  if (rows_.has_needs()) {
    rows_.Rollback();
    return Outcome::kNeeds;
  }
  if (!run.out.forbidden) TakeOffers(&run);
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
  LogOffers(&run);
  rows_.Commit();
  return Outcome::kDone;
}

void Admission::TakeOffers(OfferRun* run) {
  const wire::OfferedRows& offered = *input_.offered;
  const Data::Array& ops = offered.ops.items();
  const size_t count = std::min(ops.size(), offered.times.size());
  for (uint64_t& done = run->out.done; done < count; ++done) {
    run->update.actions.push_back({offered.update, "skerry/offer", "null", at_});
    const bool is_full = rows_.changed_objects() > kMaxRowsPerUpdate || judged_ > kMaxAdmissionWork;
    if (is_full && run->out.taken > 0) break;
    const Result<Op> offer = ReadOffer(*schema_, offered, ops[done]);
    if (offer.ok()) {
      TakeOffer(offer.value(), {offered.realm, offer.value().key()}, run);
    } else {
      run->out.refused.push_back(
          {done, CodeName(offer.status().code()), offer.status().detail(), {}});
    }
  }
}

void Admission::TakeOffer(const Op& offer, const PlacedKey& key, OfferRun* run) {
  const wire::OfferedRows& offered = *input_.offered;
  const auto place = static_cast<uint32_t>(run->out.done);
  const auto refuse = [&](std::string code, std::string detail) {
    run->out.refused.push_back({place, std::move(code), std::move(detail), {}});
  };
  const Row* now = rows_.Find(key);
  const RowHistory* history = rows_.ChangesOf({key, offered.common});
  // All rows are asked for at once.
  if (history == nullptr || rows_.has_needs()) return;
  if (rows_.MovedTo(key) != nullptr) return refuse(kRowDeleted, kElsewhere);
  OfferMerge merge = MergeOffer(offer, offered.times[place], now, *history);
  if (merge.kept != nullptr) {
    wire::RefusedOffer& kept = run->out.refused.emplace_back();
    kept = {place, merge.kept, kSince, {}};
    const TableDef& table = run->names->table(key.object.table);
    for (const PropIndex prop : merge.props) kept.props.push_back(table.props[prop].name);
  }
  if (merge.is_gone) {
    run->gone.insert(key);
    run->taken[key] = offered.times[place];
    return;
  }
  if (!merge.op) return;
  merge.op->by = {place};
  run->update.ops.push_back(std::move(*merge.op));
  const auto last = static_cast<uint32_t>(run->update.ops.size() - 1);
  Judgement judged = JudgeStep(&run->scene, run->update, {last});
  judged_ += 1 + rows_.changed_in_step();
  if (!judged.rejections.empty() || rows_.changed_in_step() > kMaxRowsPerUpdate) {
    rows_.DropStep();
    if (judged.rejections.empty()) return refuse("limit", "it changes too many rows");
    return refuse(judged.rejections[0].code, judged.rejections[0].detail);
  }
  // It was deleted at once, because its parent is missing. Another client may give that back later.
  if (!judged.gone.empty()) {
    rows_.DropStep();
    return refuse(kParentDeleted, kNoParent);
  }
  for (const auto& [row, before] : rows_.journal())
    (judged.touched.contains(row) ? run->touched : run->changed).insert(row);
  run->taken[key] = offered.times[place];
  ++run->out.taken;
  rows_.KeepStep();
}

void Admission::LogOffers(OfferRun* run) {
  const wire::OfferedRows& offered = *input_.offered;
  for (const PlacedKey& key : run->changed) {
    run->touched.erase(key);
    run->gone.erase(key);
  }
  LogInOneName(offered.client, offered.user, offered.update, run->touched, run->gone);
  for (LogChange& change : changes_) {
    const auto found = run->taken.find({change.realm, change.key});
    if (found != run->taken.end() && !change.is_touch) change.offered = found->second;
  }
  if (run->out.taken > 0) input_.realms[offered.realm].given_back = at_;
  offers_ = std::move(run->out);
}

}  // namespace skerry
