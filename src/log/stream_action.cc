#include "log/stream_action.h"

#include <algorithm>

#include "base/data.h"
#include "base/map.h"
#include "log/wire.h"

namespace skerry {

Vector<std::pair<std::string, StreamAction>> AppendsOf(const Vector<Action>& actions,
                                                       const Vector<Op>& ops,
                                                       const Vector<uint64_t>& skipped,
                                                       std::string_view realm, uint64_t revision,
                                                       double at, std::string_view author) {
  Vector<std::pair<std::string, StreamAction>> appends;
  Map<std::string, uint64_t> lengths;  // by stream
  for (size_t place = 0; place < ops.size(); ++place) {
    const Op& op = ops[place];
    if (!op.Has(kOnStream) || op.realm != realm) continue;
    if (std::binary_search(skipped.begin(), skipped.end(), place)) continue;
    const Action& action = actions[op.by[0]];
    StreamAction append{{revision, lengths[op.stream]++},
                        action.id,
                        action.name,
                        action.arg,
                        at,
                        action.at,
                        std::string(author)};
    appends.emplace_back(op.stream, std::move(append));
  }
  return appends;
}

void PutActions(const Vector<StreamAction>& actions, BodyWriter* out) {
  PutVarint(out->payload(), actions.size());
  for (const StreamAction& action : actions) {
    PutVarint(out->payload(), action.place.first);
    PutVarint(out->payload(), action.place.second);
    out->PutId(action.id);
    PutText(out->payload(), action.name);
    PutText(out->payload(), action.arg);
    PutF64(out->payload(), action.at);
    PutF64(out->payload(), action.made_at);
    PutText(out->payload(), action.author);
  }
}

Vector<StreamAction> TakeActions(BodyReader* in) {
  Vector<StreamAction> actions;
  const uint64_t count = in->TakeCount();
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    StreamAction action;
    action.place.first = in->in().Varint();
    action.place.second = in->in().Varint();
    action.id = in->TakeId();
    action.name = in->TakeText();
    action.arg = in->TakeText();
    action.at = in->in().F64();
    action.made_at = in->in().F64();
    action.author = in->TakeText();
    if (!CheckTime(Data(action.at)).ok() || !CheckTime(Data(action.made_at)).ok()) in->in().Fail();
    actions.push_back(std::move(action));
  }
  return actions;
}

std::string EncodeActions(const Schema& schema, const Vector<StreamAction>& actions) {
  BodyWriter out(schema);
  PutActions(actions, &out);
  return out.Finish(BodyKind::kActions);
}

Result<Vector<StreamAction>> DecodeActions(const Schema& schema, std::string_view bytes) {
  Result<BodyReader> opened = BodyReader::Open(schema, BodyKind::kActions, bytes);
  if (!opened.ok()) return opened.status();
  Vector<StreamAction> actions = TakeActions(&opened.value());
  SKERRY_RETURN_IF_ERROR(opened.value().Finish());
  return actions;
}

Data ActionsToData(const Vector<StreamAction>& actions) {
  Data list = Data::MakeArray();
  for (const StreamAction& action : actions) {
    list.Push(ToData(ConfirmedAction{action.id, action.name, Data::Json(action.arg), action.at,
                                     action.made_at, action.author, action.place}));
  }
  return list;
}

}  // namespace skerry
