// Reads a pull's answer: all of it is checked before anything of it is used.
#include <utility>

#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "sync/pull.h"
#include "sync/records.h"

namespace skerry {
namespace {

Status Wrong(std::string_view what) {
  return Status(Code::kInvalidArgument,
                "The server's answer has a wrong `" + std::string(what) + "`.");
}

// An action that is in the log has a revision there.
bool IsKnown(const wire::PullAnswer& answer) {
  if (!answer.known.has_value()) return true;
  for (const auto& [action, realms] : *answer.known) {
    for (const auto& [realm, revision] : realms) {
      if (revision == 0) return false;
    }
  }
  return true;
}

Status ReadPage(const Schema& schema, wire::Page page, PullAnswer* answer) {
  PageRange range;
  range.table = schema.FindTable(page.scope.table);
  if (range.table == kNone) return Wrong("fills");
  // An invalid id could not be encoded in the record that the windows read.
  for (const std::string& id : page.ids) {
    if (!CheckId(schema.table(range.table), id).ok()) return Wrong("fills");
  }
  range.where = EncodeData(page.scope.where);
  range.above = std::move(page.above);
  range.upto = std::move(page.upto);
  range.realms = std::move(page.realms);
  range.ids = std::move(page.ids);
  Sort(range.realms.begin(), range.realms.end());
  answer->pages.push_back(std::move(range));
  return Status::Ok();
}

Status ReadFills(const Schema& schema, PullAnswer* answer) {
  for (wire::Fill& fill : answer->fills) {
    if (auto* image = std::get_if<wire::Image>(&fill)) {
      answer->images.push_back(std::move(*image));
    } else {
      SKERRY_RETURN_IF_ERROR(ReadPage(schema, std::move(std::get<wire::Page>(fill)), answer));
    }
  }
  answer->fills.clear();
  return Status::Ok();
}

Status ReadChanges(const Schema& schema, PullAnswer* answer) {
  const Data list = std::move(answer->change_list);
  for (const Data& item : list.items()) {
    if (schema.FindTable(item["table"].as_string()) == kNone) {
      answer->left_out = true;  // a newer server's table
      continue;
    }
    Result<Change> change = ChangeFromData(schema, item, &answer->left_out);
    if (!change.ok()) return change.status();
    answer->changes.push_back(std::move(change.value()));
  }
  return Status::Ok();
}

}  // namespace

Result<PullAnswer> ReadPullAnswer(const Schema& schema, Data json) {
  PullAnswer answer;
  const WrongAt wrong = ReadStrictly<wire::PullAnswer>(std::move(json), &answer);
  if (wrong.found()) return Wrong(wrong.path());
  if (!IsKnown(answer)) return Wrong("known");
  SKERRY_RETURN_IF_ERROR(ReadFills(schema, &answer));
  SKERRY_RETURN_IF_ERROR(ReadStreams(&answer));
  SKERRY_RETURN_IF_ERROR(ReadChanges(schema, &answer));
  return answer;
}

}  // namespace skerry
