#include "authority/survey.h"

#include <optional>

#include "authority/changed_members.h"
#include "authority/membership.h"
#include "authority/older_update.h"
#include "authority/row_data.h"
#include "base/data.h"
#include "base/json.h"
#include "log/codec.h"
#include "log/membership_op.h"
#include "log/wire.h"
#include "model/members.h"

namespace skerry {
namespace {

constexpr std::string_view kBlockAction = "skerry/block";

// The user that the author blocks by an action; empty: it is another action.
std::string BlockedBy(const Action& action, std::string_view author) {
  if (action.name != kBlockAction) return {};
  const Result<Data> arg = ParseJson(action.arg);
  if (!arg.ok() || !CheckName(arg.value()["user"]).ok()) return {};
  const std::string& user = arg.value()["user"].as_string();
  return user == author ? std::string() : user;
}

void NameStream(const Update& update, const Op& op, std::string_view author, Survey* survey) {
  survey->streams.insert({op.realm, op.stream});
  if (op.stream != kBlockedStream || op.realm != "user:" + std::string(author)) return;
  for (const uint32_t place : op.by) {
    std::string user = BlockedBy(update.actions[place], author);
    if (!user.empty()) survey->blocks.insert(std::move(user));
  }
}

void NameMember(const Schema& schema, const Op& op, std::string_view author, Survey* survey) {
  if (!IsOnMembership(schema, op) || FaultOfMembershipOp(op) != nullptr) return;
  NamedMember member{op.realm, std::string(UserOfMembership(op.realm, op.id))};
  member.adds = op.Has(kCreates);
  member.accepts = IsAcceptance(schema, op, author);
  survey->members.push_back(std::move(member));
  if (MayFound(schema, op, author)) survey->founds.insert(op.realm);
}

Data RowsToData(const Schema& schema, const Survey& survey) {
  Data data = Data::MakeObject();
  for (const auto& [realm, tables] : survey.rows) {
    Data ids = Data::MakeObject();
    for (const auto& [table, named] : tables) ids.Set(schema.table(table).name, NamesToData(named));
    data.Set(std::string_view(realm), std::move(ids));
  }
  return data;
}

Data MembersToData(const Vector<NamedMember>& members) {
  Data list = Data::MakeArray();
  for (const NamedMember& member : members) {
    Data data = Data::MakeObject();
    data.Set("realm", member.realm).Set("user", member.user);
    data.Set("adds", member.adds).Set("accepts", member.accepts);
    list.Push(std::move(data));
  }
  return list;
}

Data StreamsToData(const Survey& survey) {
  Data list = Data::MakeArray();
  for (const auto& [realm, stream] : survey.streams) {
    Data data = Data::MakeObject();
    list.Push(data.Set("realm", realm).Set("stream", stream));
  }
  return list;
}

Data SurveyToData(const Schema& schema, const Survey& survey) {
  Data data = Data::MakeObject();
  data.Set("rows", RowsToData(schema, survey)).Set("founds", NamesToData(survey.founds));
  data.Set("members", MembersToData(survey.members)).Set("streams", StreamsToData(survey));
  return data.Set("blocks", NamesToData(survey.blocks));
}

Survey SurveyPushed(const Schema& schema, const Data& item) {
  std::optional<TrimmedUpdate> trimmed;
  if (item["older"].as_bool()) trimmed = TrimUpdate(schema, item["update"]);
  const Result<Update> update = UpdateFromData(schema, trimmed ? trimmed->update : item["update"]);
  return update.ok() ? SurveyOf(schema, update.value(), item["user"].as_string()) : Survey();
}

}  // namespace

Survey SurveyOf(const Schema& schema, const Update& update, std::string_view author) {
  Survey survey;
  for (const Op& op : update.ops) {
    if (op.Has(kOnStream)) NameStream(update, op, author, &survey);
    if (!op.Has(kOnRow)) continue;
    survey.rows[op.realm][op.table].insert(op.id);
    if (op.Has(kMoves)) survey.rows[op.to][op.table].insert(op.id);
    NameMember(schema, op, author, &survey);
  }
  return survey;
}

std::string SurveyJson(const Schema& schema, std::string_view text) {
  const Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  Data list = Data::MakeArray();
  for (const Data& item : in.value()["updates"].items())
    list.Push(SurveyToData(schema, SurveyPushed(schema, item)));
  Data out = Data::MakeObject();
  return WriteJson(out.Set("surveys", std::move(list)));
}

}  // namespace skerry
