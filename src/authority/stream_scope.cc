#include "authority/stream_scope.h"

#include <utility>

#include "base/limits.h"
#include "log/stream_name.h"
#include "log/wire.h"

namespace skerry {
namespace {

Status WrongStreams(const char* detail) { return {Code::kInvalidArgument, detail}; }

Result<StreamScope> ReadOne(wire::PulledStream part) {
  SKERRY_RETURN_IF_ERROR(CheckStreamPattern(part.stream));
  if (part.last == 0) return WrongStreams("`last` counts from 1");
  if (part.last.value_or(0) > kMaxLastActions) return Status(Code::kLimit, "`last` is too large");
  if (part.last.has_value() && IsStreamPrefix(part.stream))
    return WrongStreams("`last` is of one stream, not of a prefix");
  if (part.version == 0) return WrongStreams("`version` counts from 1");
  StreamScope scope;
  scope.pattern = std::move(part.stream);
  scope.last = part.last.value_or(0);
  scope.version = part.version;
  scope.migrates = part.migrates.value_or(false);
  scope.filled = std::move(part.filled);
  return scope;
}

}  // namespace

Result<Vector<StreamScope>> ReadStreamScopes(Vector<wire::PulledStream> list) {
  if (list.size() > kMaxStreamScopes) return Status(Code::kLimit, "too many `streams`");
  Vector<StreamScope> scopes;
  size_t places = 0;
  for (wire::PulledStream& part : list) {
    places += part.filled.size();
    if (places > kMaxStreamPlaces) return Status(Code::kLimit, "too many realms in `streams`");
    Result<StreamScope> scope = ReadOne(std::move(part));
    if (!scope.ok()) return scope.status();
    scopes.push_back(std::move(scope.value()));
  }
  return scopes;
}

}  // namespace skerry
