#include "log/stream_name.h"

#include "log/wire.h"

namespace skerry {

Status CheckStreamName(const Data& name) {
  SKERRY_RETURN_IF_ERROR(CheckName(name));
  if (!IsStreamPrefix(name.as_string())) return Status::Ok();
  return {Code::kInvalidArgument, "the name of a stream does not end with *"};
}

Status CheckStreamPattern(const Data& pattern) { return CheckName(pattern); }

}  // namespace skerry
