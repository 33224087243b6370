#include "log/outbox_record.h"

#include <utility>

namespace skerry {
namespace {

bool IsLink(const Data& data) { return CanRead(data, static_cast<const ChainLink*>(nullptr)); }

bool IsNamed(const Data& data) {
  return IsText(data["id"]) && IsCount(data["key"]) && data["key"].as_u64() > 0;
}

}  // namespace

bool CanRead(const Data& data, const ChainLink*) {
  return data.is_null() || (IsCount(data["seq"]) && IsText(data["id"]));
}

void FromData(Data&& data, ChainLink* out) {
  if (!data.is_null()) ReadMembers(std::move(data), out);
}

Data ToData(const ChainLink& link) { return link.id.empty() ? Data() : WriteMembers(link); }

bool CanRead(const Data& data, const Chain*) {
  return IsText(data["client"]) && IsMapOf(data["links"], IsLink);
}

OutboxRecord OutboxRecord::Read(Data stored) { return ReadRecord<OutboxRecord>(std::move(stored)); }
Data OutboxRecord::Write() const { return ToData(*this); }

bool IsSoundOutboxRow(const Data& row) {
  const Data& update = row["value"];
  if (IsNewer(update)) return true;  // the record of a newer version is not touched
  return IsText(row["key"]) && update["id"] == row["key"] && IsText(update["client"]) &&
         IsMapOf(update["after"], IsLink) && !update["after"].members().empty() &&
         IsListOf(update["mutations"], IsNamed) && IsListOf(update["confirmed"], IsText) &&
         IsText(update["state"]) && update["body"].is_bytes();
}

}  // namespace skerry
