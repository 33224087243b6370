#include "log/outbox_record.h"

#include <algorithm>
#include <utility>

#include "log/transaction_builder.h"

namespace skerry {

void FromData(Data&& data, ChainLink* out) {
  if (!data.is_null()) ReadMembers(std::move(data), out);
}

Data ToData(const ChainLink& link) { return link.id.empty() ? Data() : WriteMembers(link); }

OutboxRecord OutboxRecord::Read(Data stored) { return ReadRecord<OutboxRecord>(std::move(stored)); }
Data OutboxRecord::Write() const { return ToData(*this); }

std::optional<OutboxRecord> OutboxRecord::ReadRow(const Data& row) {
  const Data& stored = RowValue(row);
  if (!IsNewer(stored) && !CanReadMembers<OutboxRecord>(stored)) return std::nullopt;
  OutboxRecord update = Read(stored);
  if (IsNewer(update)) return update;
  const bool is_named =
      std::all_of(update.mutations.begin(), update.mutations.end(),
                  [](const NamedMutation& each) { return each.key.number() > 0; });
  if (RowKey(row) != Key(update.id) || !is_named) return std::nullopt;
  return update;
}

}  // namespace skerry
