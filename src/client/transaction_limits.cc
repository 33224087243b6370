// How many ops, realms and appends a transaction may have: what a server would refuse for ever.
#include <algorithm>

#include "base/limits.h"
#include "client/transaction.h"
#include "log/fold.h"

namespace skerry {

Status Transaction::CheckRoom(size_t more) const {
  if (pending_->mutation.ops.size() + more <= kMaxOpsPerUpdate) return Status::Ok();
  return {Code::kLimit,
          "a transaction has at most " + std::to_string(kMaxOpsPerUpdate) + " operations"};
}

// The server locks every realm of the update, and the log of each realm gets a copy of the action.
Status Transaction::CheckSpread() const {
  const Mutation& mutation = pending_->mutation;
  const std::string& first = mutation.ops[0].realm;
  const bool is_of_one = std::all_of(mutation.ops.begin(), mutation.ops.end(), [&](const Op& op) {
    return op.realm == first && !op.Has(kMoves);
  });
  if (is_of_one) return Status::Ok();
  const size_t realms = RealmsOf(mutation.ops).size();
  if (realms > kMaxRealmsPerUpdate) {
    return {Code::kLimit, "a transaction changes objects of at most " +
                              std::to_string(kMaxRealmsPerUpdate) + " realms"};
  }
  if (mutation.action.arg.size() * realms <= kMaxActionBytesTimesRealms) return Status::Ok();
  return {Code::kLimit,
          "a transaction's argument times its realms is at most 16 MiB: every realm keeps a copy"};
}

// A server that sends an entry's appends sends all of them.
Status Transaction::CheckAppends() const {
  size_t appends = 0;
  for (const Op& op : pending_->mutation.ops) appends += op.Has(kOnStream) ? 1 : 0;
  if (appends == 0) return Status::Ok();
  const size_t bytes = pending_->mutation.action.arg.size();
  if (bytes <= kMaxObjectBytes && (bytes + kAppendOverheadBytes) * appends <= kMaxAppendBytes)
    return Status::Ok();
  return TooLargeForStream();
}

Status TooLargeForStream() { return {Code::kLimit, "an action of a stream is at most 1 MiB"}; }

}  // namespace skerry
