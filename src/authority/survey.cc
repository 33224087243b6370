#include "authority/survey.h"

#include <optional>
#include <utility>

#include "authority/host_step.h"
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
  wire::NamedMember member{op.realm, std::string(UserOfMembership(op.realm, op.id))};
  member.adds = op.Has(kCreates);
  member.accepts = IsAcceptance(schema, op, author);
  survey->members.push_back(std::move(member));
  if (MayFound(schema, op, author)) survey->founds.insert(op.realm);
}

wire::Survey NamesOf(const Schema& schema, const Survey& survey) {
  wire::Survey out;
  for (const auto& [realm, tables] : survey.rows) {
    for (const auto& [table, ids] : tables) out.rows[realm][schema.table(table).name] = ListOf(ids);
  }
  out.founds = ListOf(survey.founds);
  out.members = survey.members;
  for (const auto& [realm, stream] : survey.streams) out.streams.push_back({realm, stream});
  out.blocks = ListOf(survey.blocks);
  return out;
}

Survey SurveyPushed(const Schema& schema, const wire::SurveyedUpdate& item) {
  std::optional<TrimmedUpdate> trimmed;
  if (item.older) trimmed = TrimUpdate(schema, item.update);
  const Result<Update> update = UpdateFromData(schema, trimmed ? trimmed->update : item.update);
  return update.ok() ? SurveyOf(schema, update.value(), item.user) : Survey();
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
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  wire::SurveyRequest request;
  const Status read = ReadStep(std::move(in.value()), &request);
  if (!read.ok()) return WriteJson(ErrorToData(read));
  wire::Surveys out;
  for (const wire::SurveyedUpdate& item : request.updates)
    out.surveys.push_back(NamesOf(schema, SurveyPushed(schema, item)));
  return WriteJson(WriteMembers(out));
}

}  // namespace skerry
