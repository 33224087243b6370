// The results in the answer to a push, one for each update that was sent.
#ifndef SKERRY_SYNC_PUSH_RESULT_H_
#define SKERRY_SYNC_PUSH_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/vector.h"
#include "log/message.h"
#include "log/op.h"
#include "log/outbox_record.h"
#include "log/wire/update_result.h"

namespace skerry {

// The `results` of an answer; none if it has no such list.
std::optional<PushResults> ReadPushResults(Data answer);

// Removes from the ops of an update what the server has not stored. REQUIRES: the ops are those that
// were pushed, under the schema.
void RemoveDropped(const Schema& schema, const Vector<DroppedOp>& dropped, Vector<Op>* ops);

// For a request with one update that was refused as a whole (400, 413, 422): the results as if that
// update had been rejected.
PushResults RejectedWhole(const std::string& id, const std::string& code,
                          const std::string& detail);

}  // namespace skerry

#endif  // SKERRY_SYNC_PUSH_RESULT_H_
