// Parses a pull's answer: every member is checked before anything of it is used.
#include <utility>

#include "base/limits.h"
#include "base/sort.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/wire.h"
#include "sync/pull.h"
#include "sync/records.h"

namespace skerry {
namespace {

Status Wrong(std::string_view what) {
  return Status(Code::kInvalidArgument,
                "The server's answer has a wrong `" + std::string(what) + "`.");
}

Status ReadTexts(const Data& data, std::string_view name, Vector<std::string>* out) {
  if (data.is_null()) return Status::Ok();
  if (!data.is_array()) return Wrong(name);
  for (const Data& item : data.items()) {
    if (!item.is_string()) return Wrong(name);
    out->push_back(item.as_string());
  }
  return Status::Ok();
}

Status ReadPage(const Schema& schema, const Data& fill, PullAnswer* answer) {
  PageRange page;
  page.table = schema.FindTable(fill["table"].as_string());
  if (page.table == kNone || !fill["where"].is_array()) return Wrong("fills");
  page.where = EncodeData(fill["where"]);
  page.above = fill["above"].as_string();
  if (fill["upto"].is_string()) page.upto = fill["upto"].as_string();
  SKERRY_RETURN_IF_ERROR(ReadTexts(fill["realms"], "fills", &page.realms));
  SKERRY_RETURN_IF_ERROR(ReadTexts(fill["ids"], "fills", &page.ids));
  // An invalid id could not be encoded in the record that the windows read.
  for (const std::string& id : page.ids) {
    if (!CheckId(schema.table(page.table), id).ok()) return Wrong("fills");
  }
  Sort(page.realms.begin(), page.realms.end());
  answer->pages.push_back(std::move(page));
  return Status::Ok();
}

Status ReadFills(const Schema& schema, const Data& fills, PullAnswer* answer) {
  for (const Data& fill : fills.items()) {
    if (!fill["url"].is_string()) {
      SKERRY_RETURN_IF_ERROR(ReadPage(schema, fill, answer));
      continue;
    }
    ImageFill image;
    image.realm = fill["realm"].as_string();
    image.revision = fill["revision"].as_u64();
    image.at = fill["at"].as_number();
    image.hash = fill["hash"].as_string();
    image.bytes = fill["bytes"].as_u64();
    image.url = fill["url"].as_string();
    if (image.realm.empty() || image.revision == 0 || image.hash.size() != 16 ||
        image.bytes > kMaxImageBytes)
      return Wrong("fills");
    answer->images.push_back(std::move(image));
  }
  return Status::Ok();
}

Status ReadOwn(const Data& own, PullAnswer* answer) {
  for (const auto& [update, realms] : own.members()) {
    if (!realms.is_object()) return Wrong("own");
    Map<std::string, OwnEntry>& entries = answer->own[update];
    for (const auto& [realm, place] : realms.members()) {
      OwnEntry& entry = entries[realm];
      entry.revision = place["revision"].as_u64();
      // The windows could not read a record with a time beyond all dates.
      if (entry.revision == 0 || !CheckTime(place["at"]).ok()) return Wrong("own");
      entry.at = place["at"].as_number();
      entry.lost = ReadRecord<LostOps>(Data(place));
    }
  }
  return Status::Ok();
}

Status ReadKnown(const Data& known, PullAnswer* answer) {
  if (known.is_null()) return Status::Ok();
  if (!known.is_object()) return Wrong("known");
  answer->known.emplace();
  for (const auto& [action, realms] : known.members()) {
    if (!realms.is_object()) return Wrong("known");
    Revisions& revisions = (*answer->known)[action];
    for (const auto& [realm, revision] : realms.members()) {
      if (revision.as_u64() == 0) return Wrong("known");
      revisions[realm] = revision.as_u64();
    }
  }
  return Status::Ok();
}

Status ReadFloors(const Data& floors, PullAnswer* answer) {
  if (floors.is_null()) return Status::Ok();
  if (!floors.is_object()) return Wrong("floors");
  answer->floors.emplace();
  for (const auto& [realm, floor] : floors.members()) {
    if (!CheckTime(floor["at"]).ok()) return Wrong("floors");
    (*answer->floors)[realm] = {floor["revision"].as_u64(), floor["at"].as_number()};
  }
  return Status::Ok();
}

// The scopes are among those of the request, so their tables and filters are known.
Status ReadRefill(const Data& refill, PullAnswer* answer) {
  if (refill.is_null()) return Status::Ok();
  if (!refill.is_array()) return Wrong("refill");
  answer->refill.emplace();
  for (const Data& scope : refill.items()) {
    if (!scope["table"].is_string() || !scope["where"].is_array()) return Wrong("refill");
    answer->refill->push_back({scope["table"].as_string(), scope["where"], {}});
  }
  return Status::Ok();
}

}  // namespace

Result<PullAnswer> ReadPullAnswer(const Schema& schema, const Data& json) {
  PullAnswer answer;
  if (!CheckTime(json["time"]).ok()) return Wrong("time");
  if (!json["cursors"].is_object()) return Wrong("cursors");
  answer.time = json["time"].as_number();
  for (const auto& [realm, cursor] : json["cursors"].members()) {
    if (!cursor.is_string()) return Wrong("cursors");
    answer.cursors[realm] = cursor.as_string();
  }
  answer.more = json["more"].as_bool();
  if (json["realmsToken"].is_string()) answer.realms_token = json["realmsToken"].as_string();
  // Windows check each of them: they are stored, and any script of the origin may write there.
  if (json["invitations"].is_array()) answer.invitations = json["invitations"];
  SKERRY_RETURN_IF_ERROR(ReadOwn(json["own"], &answer));
  SKERRY_RETURN_IF_ERROR(ReadKnown(json["known"], &answer));
  SKERRY_RETURN_IF_ERROR(ReadFloors(json["floors"], &answer));
  SKERRY_RETURN_IF_ERROR(ReadTexts(json["revoked"], "revoked", &answer.revoked));
  SKERRY_RETURN_IF_ERROR(ReadTexts(json["lost"], "lost", &answer.lost));
  SKERRY_RETURN_IF_ERROR(ReadTexts(json["reset"], "reset", &answer.reset));
  SKERRY_RETURN_IF_ERROR(ReadRefill(json["refill"], &answer));
  SKERRY_RETURN_IF_ERROR(ReadFills(schema, json["fills"], &answer));
  SKERRY_RETURN_IF_ERROR(ReadAnsweredStreams(json, &answer));
  for (const Data& item : json["changes"].items()) {
    if (schema.FindTable(item["table"].as_string()) == kNone) {
      answer.left_out = true;  // a newer server's table
      continue;
    }
    Result<Change> change = ChangeFromData(schema, item, &answer.left_out);
    if (!change.ok()) return change.status();
    answer.changes.push_back(std::move(change.value()));
  }
  return answer;
}

}  // namespace skerry
