#include "authority/stream_scope.h"

#include <utility>

#include "base/limits.h"
#include "log/stream_name.h"
#include "log/wire.h"

namespace skerry {
namespace {

Status WrongStreams(const char* detail) { return {Code::kInvalidArgument, detail}; }

Result<StreamScope> ReadOne(const Data& data) {
  StreamScope scope;
  SKERRY_RETURN_IF_ERROR(CheckStreamPattern(data["stream"]));
  scope.pattern = data["stream"].as_string();
  if (const Data* last = data.Find("last"); last != nullptr && !last->is_null()) {
    if (!ReadU64(*last, &scope.last) || scope.last == 0)
      return WrongStreams("`last` counts from 1");
    if (scope.last > kMaxLastActions) return Status(Code::kLimit, "`last` is too large");
    if (IsStreamPrefix(scope.pattern))
      return WrongStreams("`last` is of one stream, not of a prefix");
  }
  if (const Data* version = data.Find("version"); version != nullptr && !version->is_null()) {
    if (!ReadU64(*version, &scope.version.emplace()) || *scope.version == 0)
      return WrongStreams("`version` counts from 1");
  }
  scope.migrates = data["migrates"].as_bool();
  if (!data["filled"].is_null() && !data["filled"].is_object())
    return WrongStreams("`filled` of a stream holds revisions");
  for (const auto& [realm, revision] : data["filled"].members()) {
    if (!ReadU64(revision, &scope.filled[realm]))
      return WrongStreams("`filled` of a stream holds revisions");
  }
  return scope;
}

}  // namespace

Result<Vector<StreamScope>> ReadStreamScopes(const Data& list) {
  Vector<StreamScope> scopes;
  if (list.is_null()) return scopes;
  if (!list.is_array()) return WrongStreams("`streams` is a list");
  if (list.items().size() > kMaxStreamScopes) return Status(Code::kLimit, "too many `streams`");
  size_t places = 0;
  for (const Data& data : list.items()) {
    Result<StreamScope> scope = ReadOne(data);
    if (!scope.ok()) return scope.status();
    places += scope.value().filled.size();
    if (places > kMaxStreamPlaces) return Status(Code::kLimit, "too many realms in `streams`");
    scopes.push_back(std::move(scope.value()));
  }
  return scopes;
}

}  // namespace skerry
