// Steps as bodies (log/body.h, log/codec.h).
//
//   payload = varint *step
//   step    = %x01 realm at:f64le revision:varint ops        own ops
//           | %x02 change
//           | %x03 table where:text above:text flag [upto:text] varint *realm varint *id    page
//           | %x04 realm                                     drop realm
//           | %x05 varint *(table where:text)                keep scopes
//           | %x06 realm stream:text actions                 actions of a stream (stream_action.h)
//           | %x07 realm stream:text revision:varint         a snapshot of a stream
//   change  = kind:u8 table id realm revision:varint rest
//   rest    = createdAt:f64le modifiedAt:f64le set           create, update
//           | createdAt:f64le modifiedAt:f64le set realm     move
//           |                                                delete, leave
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/op_codec.h"
#include "log/steps_writer.h"
#include "log/wire.h"

namespace skerry {
namespace {

void EncodeChange(const Change& change, BodyWriter* out) {
  PutU8(out->payload(), static_cast<uint8_t>(change.kind));
  out->PutTable(change.key.table);
  out->PutId(change.key.id);
  out->PutRealm(change.realm);
  PutVarint(out->payload(), change.revision);
  if (!HasContent(change.kind)) return;
  PutF64(out->payload(), change.created_at);
  PutF64(out->payload(), change.modified_at);
  EncodeSet(change.key.table, change.set, out);
  if (change.kind == ChangeKind::kMove) out->PutRealm(change.to);
}

// Fails if a row cannot hold the time, so that images can rely on it.
double TakeTime(BodyReader* in) {
  const double time = in->in().F64();
  if (!CheckTime(Data(time)).ok()) in->in().Fail();
  return time;
}

// Returns whether the schema can hold it.
bool DecodeChange(BodyReader* in, Change* change) {
  const uint8_t kind = in->in().U8();
  if (kind < 1 || kind > static_cast<uint8_t>(ChangeKind::kLeave)) in->in().Fail();
  change->kind = static_cast<ChangeKind>(kind);
  change->key.table = in->TakeTable();
  change->key.id = in->TakeId();
  change->realm = in->TakeRealm();
  change->revision = in->in().Varint();
  if (!in->ok()) return true;
  const bool known = KnowsId(change->key.table, change->key.id, in);
  if (!HasContent(change->kind)) return known;
  change->created_at = TakeTime(in);
  change->modified_at = TakeTime(in);
  change->set = DecodeSet(change->key.table, UnfitPolicy::kAbsent, in);
  if (change->kind == ChangeKind::kCreate && known)
    AddDefaults(change->key.table, in->schema(), &change->set);
  if (change->kind == ChangeKind::kMove) change->to = in->TakeRealm();
  return known;
}

// Whether a stored filter parses under the current schema.
bool Understands(TableIndex table, const std::string& where, BodyReader* in) {
  if (table == kNone) return false;
  const bool known = ReadFilter(in->schema(), table, where).ok();
  if (!known) *in->mutable_left_out() = true;
  return known;
}

void EncodePage(const PageRange& page, BodyWriter* out) {
  out->PutTable(page.table);
  PutText(out->payload(), page.where);
  PutText(out->payload(), page.above);
  PutU8(out->payload(), page.upto ? 1 : 0);
  if (page.upto) PutText(out->payload(), *page.upto);
  PutVarint(out->payload(), page.realms.size());
  for (const std::string& realm : page.realms) out->PutRealm(realm);
  PutVarint(out->payload(), page.ids.size());
  for (const std::string& id : page.ids) out->PutId(id);
}

// A page whose filter does not parse cannot say which rows do not exist any more. It is left out.
// The worker gives up such scopes, together with their rows (sync/scopes.h).
bool DecodePage(BodyReader* in, PageRange* page) {
  page->table = in->TakeTable();
  page->where = in->TakeText();
  page->above = in->TakeText();
  if (in->TakeFlag()) page->upto = in->TakeText();
  const uint64_t realms = in->TakeCount();
  for (uint64_t i = 0; i < realms && in->ok(); ++i) page->realms.push_back(in->TakeRealm());
  const uint64_t ids = in->TakeCount();
  for (uint64_t i = 0; i < ids && in->ok(); ++i) page->ids.push_back(in->TakeId());
  return !in->ok() || Understands(page->table, page->where, in);
}

// A scope whose filter does not parse keeps all rows of its table, until the worker gives it up.
void DecodeScopes(BodyReader* in, Vector<ScopeFilter>* scopes) {
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const TableIndex table = in->TakeTable();
    std::string where = in->TakeText();
    if (!in->ok() || table == kNone) continue;
    if (!Understands(table, where, in)) where = EncodeData(Data(Data::Array{Data("true")}));
    scopes->push_back({table, std::move(where)});
  }
}

void EncodeStep(const Step& step, BodyWriter* out) {
  PutU8(out->payload(), static_cast<uint8_t>(step.kind));
  switch (step.kind) {
    case StepKind::kOwnOps:
      out->PutRealm(step.realm);
      PutF64(out->payload(), step.at);
      PutVarint(out->payload(), step.revision);
      return EncodeOps(step.ops, out);
    case StepKind::kChange:
      return EncodeChange(step.change, out);
    case StepKind::kPage:
      return EncodePage(step.page, out);
    case StepKind::kDropRealm:
      return out->PutRealm(step.realm);
    case StepKind::kKeepScopes:
      PutVarint(out->payload(), step.scopes.size());
      for (const ScopeFilter& scope : step.scopes) {
        out->PutTable(scope.table);
        PutText(out->payload(), scope.where);
      }
      return;
    case StepKind::kActions:
      out->PutRealm(step.realm);
      PutText(out->payload(), step.stream);
      return PutActions(step.actions, out);
    case StepKind::kSnapshot:
      out->PutRealm(step.realm);
      PutText(out->payload(), step.stream);
      return PutVarint(out->payload(), step.revision);
  }
}

// Returns false if nothing is left of the step.
bool DecodeStep(BodyReader* in, Step* step) {
  const uint8_t kind = in->in().U8();
  if (kind < 1 || kind > static_cast<uint8_t>(StepKind::kSnapshot)) in->in().Fail();
  if (!in->ok()) return true;
  step->kind = static_cast<StepKind>(kind);
  switch (step->kind) {
    case StepKind::kOwnOps:
      step->realm = in->TakeRealm();
      step->at = TakeTime(in);
      step->revision = in->in().Varint();
      step->ops = DecodeOps(UnfitPolicy::kAbsent, in);
      return true;
    case StepKind::kChange:
      return DecodeChange(in, &step->change);
    case StepKind::kPage:
      return DecodePage(in, &step->page);
    case StepKind::kDropRealm:
      step->realm = in->TakeRealm();
      return true;
    case StepKind::kKeepScopes:
      DecodeScopes(in, &step->scopes);
      return true;
    case StepKind::kActions:
      step->realm = in->TakeRealm();
      step->stream = in->TakeText();
      step->actions = TakeActions(in);
      return true;
    case StepKind::kSnapshot:
      step->realm = in->TakeRealm();
      step->stream = in->TakeText();
      step->revision = in->in().Varint();
      return true;
  }
  return true;
}

}  // namespace

void StepsWriter::Add(const Step& step) {
  EncodeStep(step, &out_);
  ++count_;
}

std::string StepsWriter::Finish() const {
  std::string count;
  PutVarint(&count, count_);
  return out_.Finish(BodyKind::kSteps, count);
}

std::string EncodeSteps(const Schema& schema, const Vector<Step>& steps) {
  StepsWriter out(schema);
  for (const Step& step : steps) out.Add(step);
  return out.Finish();
}

Result<Vector<Step>> DecodeSteps(const Schema& schema, std::string_view bytes, bool* left_out) {
  Result<BodyReader> opened = BodyReader::Open(schema, BodyKind::kSteps, bytes);
  if (!opened.ok()) return opened.status();
  BodyReader& in = opened.value();
  Vector<Step> steps;
  const uint64_t count = in.TakeCount();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    Step step;
    if (DecodeStep(&in, &step)) steps.push_back(std::move(step));
  }
  SKERRY_RETURN_IF_ERROR(in.Finish());
  if (left_out != nullptr && in.left_out()) *left_out = true;
  return steps;
}

}  // namespace skerry
