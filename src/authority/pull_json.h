// PullSession: Pull with JSON text in and out (docs/authority.md, section 4). It holds no rules.
#ifndef SKERRY_AUTHORITY_PULL_JSON_H_
#define SKERRY_AUTHORITY_PULL_JSON_H_

#include <string>
#include <string_view>

#include "authority/pull.h"
#include "base/data.h"
#include "base/status.h"
#include "log/wire/pull_needs.h"
#include "model/schema.h"

namespace skerry {

class PullSession {
 public:
  explicit PullSession(const Schema* schema) : schema_(schema), pull_(schema) {}
  std::string Step(std::string_view text);

 private:
  enum class State { kNew, kAsked, kFinished };
  Result<Data> StepData(Data in);
  Data Gone();
  Status Start(Data in);
  Status Load(Data in);
  Status LoadChanges(Data changes);
  Status LoadOwn(Vector<wire::LoadedOwn> own);
  Status LoadState(const Data& rows);
  void LoadUnread(const Vector<wire::Omitted>& omitted);
  Status LoadPages(const Vector<std::optional<wire::LoadedPage>>& pages);
  Status LoadRowOfChange(const ObjectKey& key, const wire::LoadedChange& change);
  Status LoadRowsAt(Data rows);
  Status LoadJoins(const Vector<wire::LoadedCandidates>& candidates,
                   const Vector<Vector<uint64_t>>& selected);
  void LoadStreams(Vector<std::optional<wire::LoadedStream>> streams);
  Vector<std::string> NamesOf(const Set<TableIndex>& tables) const;
  Vector<Data> ValuesToData(size_t join, const Vector<Value>& values) const;
  Data NeedsToData() const;
  void AddJoinNeeds(wire::PullNeeds* out) const;
  Vector<wire::StreamNeed> StreamNeeds() const;

  const Schema* schema_;
  Pull pull_;
  State state_ = State::kNew;
};

// {"scopes":[..]} -> the scopes as parsed, or an error (docs/authority.md, section 6). For the
// `hello` of a socket, and to check scopes alone.
std::string CheckScopes(const Schema& schema, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_JSON_H_
