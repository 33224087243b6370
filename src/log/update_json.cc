// Updates on the wire (docs/protocol.md, "`POST /v1/push`"; log/codec.h):
//   {"id","after":{realm: {"seq","id"}|null},"base":{realm: revision},"at",
//    "actions":[{"id","name","arg","at","replayed"?,"again"?}],"ops":[op]}
#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/wire.h"

namespace skerry {
namespace {

Status Invalid(std::string detail) { return {Code::kInvalidArgument, std::move(detail)}; }

template <typename T>
Status SortByRealm(ByRealm<T>* by_realm) {
  Sort(by_realm->begin(), by_realm->end(),
       [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < by_realm->size(); ++i) {
    if ((*by_realm)[i - 1].first == (*by_realm)[i].first) return Invalid("a realm twice");
  }
  return Status::Ok();
}

Status CheckRealmCount(const Data& by_realm) {
  if (by_realm.members().size() <= kMaxRealmsPerUpdate) return Status::Ok();
  return {Code::kLimit, "more than " + std::to_string(kMaxRealmsPerUpdate) + " realms"};
}

Status ReadAfter(const Data& data, ByRealm<Link>* after) {
  if (!data.is_object() || data.members().empty())
    return Invalid("`after` must name the realms of the update");
  SKERRY_RETURN_IF_ERROR(CheckRealmCount(data));
  for (const Data::Member& member : data.members()) {
    SKERRY_RETURN_IF_ERROR(CheckRealm(Data(member.first)));
    Link link;
    if (!member.second.is_null()) {
      if (!ReadU64(member.second["seq"], &link.seq) || link.seq == 0)
        return Invalid("`seq` counts from 1");
      SKERRY_RETURN_IF_ERROR(CheckUuid(member.second["id"]));
      link.id = member.second["id"].as_string();
    }
    after->emplace_back(member.first, std::move(link));
  }
  return SortByRealm(after);
}

Status ReadBase(const Data& data, ByRealm<uint64_t>* base) {
  if (!data.is_null() && !data.is_object()) return Invalid("`base` must be an object");
  SKERRY_RETURN_IF_ERROR(CheckRealmCount(data));
  for (const Data::Member& member : data.members()) {
    SKERRY_RETURN_IF_ERROR(CheckRealm(Data(member.first)));
    uint64_t revision = 0;
    if (!ReadU64(member.second, &revision)) return Invalid("`base` must hold revisions");
    base->emplace_back(member.first, revision);
  }
  return SortByRealm(base);
}

Status ReadAction(const Data& data, Action* action) {
  SKERRY_RETURN_IF_ERROR(CheckUuid(data["id"]));
  SKERRY_RETURN_IF_ERROR(CheckName(data["name"]));
  SKERRY_RETURN_IF_ERROR(CheckTime(data["at"]));
  SKERRY_RETURN_IF_ERROR(CheckStorableTree(data["arg"]));
  action->id = data["id"].as_string();
  action->name = data["name"].as_string();
  action->at = data["at"].as_number();
  action->is_replayed = data["replayed"].as_bool();
  action->is_again = data["again"].as_bool();
  WriteJson(data["arg"], &action->arg);
  if (action->arg.size() <= kMaxMutationBytes) return Status::Ok();
  return {Code::kLimit, "an argument larger than " + std::to_string(kMaxMutationBytes) + " bytes"};
}

Status ReadActions(const Data& data, Vector<Action>* actions) {
  if (!data.is_null() && !data.is_array()) return Invalid("`actions` must be a list");
  if (data.items().size() > kMaxActionsPerUpdate) {
    return {Code::kLimit, "more than " + std::to_string(kMaxActionsPerUpdate) + " actions"};
  }
  Set<std::string_view> ids;
  for (const Data& item : data.items()) {
    Action action;
    if (Status read = ReadAction(item, &action); !read.ok()) {
      return At("action " + std::to_string(actions->size()), read);
    }
    if (!ids.insert(item["id"].as_string()).second) return Invalid("one action twice");
    actions->push_back(std::move(action));
  }
  return Status::Ok();
}

// Checks kMaxActionBytesTimesRealms: the log entry of every realm holds all actions.
Status CheckSpread(const Update& update) {
  size_t bytes = 0;
  for (const Action& action : update.actions) bytes += action.arg.size();
  if (bytes * update.after.size() <= kMaxActionBytesTimesRealms) return Status::Ok();
  return {Code::kLimit, "arguments times realms are more than " +
                            std::to_string(kMaxActionBytesTimesRealms) +
                            " bytes: every realm's log holds all of them"};
}

// An action appends to a stream of a realm at most once. What one update appends is read as a whole.
Status CheckAppends(const Update& update) {
  Set<std::pair<std::pair<std::string_view, std::string_view>, uint32_t>> seen;
  size_t bytes = 0;
  for (const Op& op : update.ops) {
    if (!op.Has(kOnStream)) continue;
    if (!seen.insert({{op.realm, op.stream}, op.by[0]}).second)
      return Invalid("an action appends to a stream twice");
    const size_t size = update.actions[op.by[0]].arg.size();
    if (size > kMaxObjectBytes) {
      return {Code::kLimit,
              "an append has more than " + std::to_string(kMaxObjectBytes) + " bytes"};
    }
    bytes += size + kAppendOverheadBytes;
  }
  if (bytes <= kMaxAppendBytes) return Status::Ok();
  return {Code::kLimit,
          "the appends have more than " + std::to_string(kMaxAppendBytes) + " bytes together"};
}

// REQUIRES: `after` is sorted.
bool Names(const ByRealm<Link>& after, const std::string& realm) {
  const auto found =
      std::lower_bound(after.begin(), after.end(), realm,
                       [](const auto& item, const std::string& name) { return item.first < name; });
  return found != after.end() && found->first == realm;
}

Status CheckDeclared(const ByRealm<Link>& after, const Op& op) {
  if (!Names(after, op.realm))
    return Invalid("`after` does not name the realm " + QuoteForDetail(op.realm));
  if (op.Has(kMoves) && !Names(after, op.to)) {
    return Invalid("`after` does not name the realm " + QuoteForDetail(op.to));
  }
  return Status::Ok();
}

// Reads all ops, even if some are wrong, so that one answer names all errors.
Status ReadOps(const Schema& schema, const Data& data, Update* update,
               Vector<OpProblem>* problems) {
  if (!data.is_array()) return Invalid("`ops` must be a list");
  if (data.items().size() > kMaxOpsPerUpdate) {
    return {Code::kLimit, "more than " + std::to_string(kMaxOpsPerUpdate) + " ops"};
  }
  Status first;
  update->ops.reserve(data.items().size());
  for (size_t i = 0; i < data.items().size(); ++i) {
    Result<Op> op = OpFromData(schema, data.items()[i], update->actions.size());
    const Status read = op.ok() ? CheckDeclared(update->after, op.value()) : op.status();
    if (read.ok()) {
      update->ops.push_back(std::move(op.value()));
      continue;
    }
    if (first.ok()) first = At("op " + std::to_string(i), read);
    if (problems) problems->push_back({i, read});
  }
  return first;
}

Data LinkToData(const Link& link) {
  if (link.seq == 0) return {};
  Data data = Data::MakeObject();
  data.Set("seq", link.seq).Set("id", link.id);
  return data;
}

Data MadeToData(const Action& action) {
  // It is empty if it was made without a remote.
  Result<Data> arg = ParseJson(action.arg.empty() ? "null" : action.arg);
  SKERRY_CHECK(arg.ok());  // checked when the action was made, and grouped
  Data data = Data::MakeObject();
  data.Set("id", action.id)
      .Set("name", action.name)
      .Set("arg", std::move(arg.value()))
      .Set("at", action.at);
  if (action.is_replayed) data.Set("replayed", true);
  if (action.is_again) data.Set("again", true);
  return data;
}

}  // namespace

Data UpdateToData(const Schema& schema, const Update& update) {
  Data after = Data::MakeObject();
  for (const auto& [realm, link] : update.after) after.Set(realm, LinkToData(link));
  Data base = Data::MakeObject();
  for (const auto& [realm, revision] : update.base) base.Set(realm, revision);
  Data actions = Data::MakeArray();
  for (const Action& action : update.actions) actions.Push(MadeToData(action));
  Data ops = Data::MakeArray();
  for (const Op& op : update.ops) ops.Push(OpToData(schema, op, update.actions.size()));
  Data data = Data::MakeObject();
  data.Set("id", update.id)
      .Set("after", std::move(after))
      .Set("base", std::move(base))
      .Set("at", update.at);
  data.Set("actions", std::move(actions)).Set("ops", std::move(ops));
  return data;
}

Result<Update> UpdateFromData(const Schema& schema, const Data& data, Vector<OpProblem>* problems) {
  if (!data.is_object()) return Status(Code::kInvalidArgument, "an update must be an object");
  Update update;
  SKERRY_RETURN_IF_ERROR(CheckUuid(data["id"]));
  update.id = data["id"].as_string();
  SKERRY_RETURN_IF_ERROR(ReadAfter(data["after"], &update.after));
  SKERRY_RETURN_IF_ERROR(ReadBase(data["base"], &update.base));
  SKERRY_RETURN_IF_ERROR(CheckTime(data["at"]));
  update.at = data["at"].as_number();
  SKERRY_RETURN_IF_ERROR(ReadActions(data["actions"], &update.actions));
  SKERRY_RETURN_IF_ERROR(CheckSpread(update));
  SKERRY_RETURN_IF_ERROR(ReadOps(schema, data["ops"], &update, problems));
  SKERRY_RETURN_IF_ERROR(CheckAppends(update));
  if (update.actions.empty() && update.ops.empty())
    return Invalid("an update without actions and ops");
  return update;
}

}  // namespace skerry
