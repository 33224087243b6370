#include "authority/log_forgetting.h"

#include <algorithm>
#include <utility>

#include "authority/host_step.h"
#include "authority/misuse.h"
#include "authority/row_data.h"
#include "base/data.h"
#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

bool IsUnseen(const OldEntry& entry) {
  const uint64_t last = entry.last.value_or(0);
  const uint64_t oldest = last > kMaxUnconfirmedUpdates ? last - kMaxUnconfirmedUpdates : 0;
  return entry.seq && *entry.seq > std::max(entry.seen.value_or(0), oldest);
}

bool IsAscending(const Vector<OldEntry>& entries) {
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].revision <= entries[i - 1].revision) return false;
  }
  return true;
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
  OldLog log;
  Status read = ReadStep(std::move(in.value()), &log);
  if (read.ok() && !IsAscending(log.entries)) read = Misuse("the entries are not in order");
  if (!read.ok()) return WriteJson(ErrorToData(read));
  return WriteJson(WriteMembers(ForgetLog(log.entries, log.before, {log.floor, log.floor_at})));
}

}  // namespace skerry
