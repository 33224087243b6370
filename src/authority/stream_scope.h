// The streams that a client wants, and how far each is filled (docs/design.md, "Streams").
#ifndef SKERRY_AUTHORITY_STREAM_SCOPE_H_
#define SKERRY_AUTHORITY_STREAM_SCOPE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/wire/pull_request.h"

namespace skerry {

struct StreamScope {
  std::string pattern;  // log/stream_name.h
  uint64_t last = 0;    // a fill begins with the last so many actions; 0: with the first
  std::optional<uint64_t> version;    // of the client's reducer, whose snapshots it can use
  bool migrates = false;              // those of earlier versions, too
  Map<std::string, uint64_t> filled;  // by realm: the client has all up to this revision
};

// kLimit, kInvalidArgument.
Result<Vector<StreamScope>> ReadStreamScopes(Vector<wire::PulledStream> list);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_STREAM_SCOPE_H_
