#include "authority/log_forgetting.h"

#include <algorithm>
#include <utility>

#include "authority/misuse.h"
#include "authority/row_data.h"
#include "base/data.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

bool IsUnseen(const OldEntry& entry) {
  const uint64_t oldest =
      entry.last > kMaxUnconfirmedUpdates ? entry.last - kMaxUnconfirmedUpdates : 0;
  return entry.seq && *entry.seq > std::max(entry.seen, oldest);
}

Result<Vector<OldEntry>> ReadEntries(const Data& data) {
  Vector<OldEntry> entries;
  for (const Data& item : data.items()) {
    OldEntry entry;
    entry.revision = item["revision"].as_u64();
    entry.at = item["at"].as_number();
    if (!item["seq"].is_null()) entry.seq = item["seq"].as_u64();
    entry.last = item["last"].as_u64();
    entry.seen = item["seen"].as_u64();
    if (!entries.empty() && entry.revision <= entries.back().revision)
      return Misuse("the entries are not in order");
    entries.push_back(entry);
  }
  return entries;
}

Data ListOf(const Vector<uint64_t>& revisions) {
  Data list = Data::MakeArray();
  for (const uint64_t revision : revisions) list.Push(revision);
  return list;
}

}  // namespace

ForgottenLog ForgetLog(const Vector<OldEntry>& entries, double before, Cursor floor) {
  ForgottenLog forgotten{floor.revision, floor.at, {}, {}};
  for (const OldEntry& entry : entries) {
    if (entry.at >= before) break;
    if (entry.revision < forgotten.floor) continue;
    forgotten.floor = entry.revision;
    forgotten.floor_at = entry.at;
  }
  for (const OldEntry& entry : entries) {
    if (entry.revision > forgotten.floor) break;
    const bool stays = entry.revision == 1 || entry.revision == forgotten.floor || IsUnseen(entry);
    (stays ? forgotten.kept : forgotten.gone).push_back(entry.revision);
  }
  return forgotten;
}

std::string ForgetLogJson(std::string_view text) {
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  if (!in.value()["before"].is_number())
    return WriteJson(ErrorToData(Misuse("`before` is not a time")));
  Result<Vector<OldEntry>> entries = ReadEntries(in.value()["entries"]);
  if (!entries.ok()) return WriteJson(ErrorToData(entries.status()));
  const Cursor floor{in.value()["floor"].as_u64(), in.value()["floorAt"].as_number()};
  const ForgottenLog forgotten =
      ForgetLog(entries.value(), in.value()["before"].as_number(), floor);
  Data out = Fields{{"floor", forgotten.floor}, {"floorAt", forgotten.floor_at}};
  out.Set("gone", ListOf(forgotten.gone)).Set("kept", ListOf(forgotten.kept));
  return WriteJson(out);
}

}  // namespace skerry
