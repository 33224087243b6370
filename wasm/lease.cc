// How a window releases a lease of its worker (docs/sync-worker.md, section 5). Bindings only.
#include "abi.h"
#include "base/data.h"
#include "sync/lease_rules.h"

using skerry::Data;
using skerry::Result;
namespace abi = skerry::abi;

// Data {record, owner, epoch, now} -> Data: the record to write, or null if there is none to write.
SKERRY_EXPORT int32_t sk_lease_release(int32_t length) {
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  const Data& data = input.value();
  const auto released =
      skerry::ReleasedRecord(skerry::LeaseRecord::Read(data["record"]), data["owner"].as_string(),
                             data["epoch"].as_u64(), data["now"].as_number());
  return abi::OutputData(released.has_value() ? released->Write() : Data());
}
