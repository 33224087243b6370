#include "client/lost_appends.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/own_record.h"
#include "log/transaction_builder.h"

namespace skerry {

Vector<OwnAppend> OwnAppends(const Schema& schema, const Data& own, const std::string& realm) {
  Vector<OwnAppend> appends;
  for (const Data& row : own.items()) {
    const OwnRecord record = OwnRecord::Read(RowValue(row));
    const auto revision = record.revisions.find(realm);
    if (revision == record.revisions.end()) continue;
    Result<Mutation> read = DecodeMutation(schema, record.body);
    if (!read.ok()) continue;
    OwnAppend append{std::move(read.value().action), {}, revision->second};
    append.action.is_again = append.action.is_replayed = false;
    for (Op& op : read.value().ops) {
      if (op.Has(kOnStream) && op.realm == realm) append.ops.push_back(std::move(op));
    }
    if (!append.ops.empty()) appends.push_back(std::move(append));
  }
  return appends;
}

void LostAppends::Begin(std::string realm, Vector<OwnAppend> appends) {
  realm_ = std::move(realm);
  appends_ = std::move(appends);
  asked_ = 0;
  most_ = kMaxAppendsAtOnce;
}

void LostAppends::LeaveOut(uint64_t common) {
  common_ = common;
  erase_if(appends_, [&](const OwnAppend& append) { return append.revision <= common; });
}

std::string LostAppends::Ask(UuidGenerator* ids, double now) {
  Update update;
  update.id = ids->Next(now);
  update.at = now;
  update.after.emplace_back(realm_, Link());
  update.base.emplace_back(realm_, common_);
  size_t bytes = 0;
  for (asked_ = 0; asked_ < appends_.size(); ++asked_) {
    if (asked_ == most_ || bytes > kMaxAppendedBytes) break;
    const OwnAppend& append = appends_[asked_];
    bytes += append.action.arg.size();
    for (Op op : append.ops) {
      op.by = {static_cast<uint32_t>(asked_)};
      update.ops.push_back(std::move(op));
    }
    update.actions.push_back(append.action);
  }
  Data body = Data::MakeObject();
  body.Set("client", ids->Next(now)).Set("schema", schema_->version());
  body.Set("updates", Data::MakeArray().Push(UpdateToData(*schema_, update)));
  return WriteJson(body);
}

std::string LostAppends::Take(const Data& answer, NotTaken* out) {
  const Data& results = answer["results"];
  const Data& result = results.items().empty() ? results : results.items()[0];
  if (result["status"].Is("applied")) {
    const GivenBack place{result["revisions"][realm_].as_u64(), result["at"].as_number()};
    for (size_t i = 0; i < asked_; ++i) out->given[appends_[i].action.id] = place;
    appends_.erase(appends_.begin(), appends_.begin() + static_cast<ptrdiff_t>(asked_));
    most_ = std::min(most_ * 2, kMaxAppendsAtOnce);
    return MakeCursor(place.revision, place.at);
  }
  const size_t before = appends_.size();
  // The answer does not say since when the log has it.
  for (const auto& [action, known] : result["known"].members()) {
    out->given[action] = {known.as_u64(), answer["time"].as_number()};
    Remove(action);
  }
  TakeRejections(result, out);
  if (appends_.size() < before) return {};
  // It is not said which of them is at fault.
  if (asked_ > 1) {
    most_ = 1;
  } else {
    Refuse(appends_[0].action.id, {"history_lost", "The server does not take it back.", {}}, out);
  }
  return {};
}

void LostAppends::TakeRejections(const Data& result, NotTaken* out) {
  for (const Data& rejected : result["rejected"].items()) {
    const Data::Array& actions = rejected["actions"].items();
    const std::string& code = rejected["code"].as_string();
    if (actions.size() != 1 || code == "known_action") continue;
    Refuse(actions[0].as_string(), {code, rejected["detail"].as_string(), {}}, out);
  }
}

void LostAppends::Refuse(std::string action, LostCause cause, NotTaken* out) {
  Remove(action);
  out->actions.emplace(std::move(action), std::move(cause));
}

void LostAppends::Remove(const std::string& action) {
  erase_if(appends_, [&](const OwnAppend& append) { return append.action.id == action; });
}

}  // namespace skerry
