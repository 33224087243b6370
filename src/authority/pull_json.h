// PullSession: Pull with JSON text in and out (docs/authority.md, section 4). It holds no rules.
#ifndef SKERRY_AUTHORITY_PULL_JSON_H_
#define SKERRY_AUTHORITY_PULL_JSON_H_

#include <string>
#include <string_view>

#include "authority/pull.h"
#include "base/data.h"
#include "base/status.h"
#include "model/schema.h"

namespace skerry {

class PullSession {
 public:
  explicit PullSession(const Schema* schema) : schema_(schema), pull_(schema) {}
  std::string Step(std::string_view text);

 private:
  enum class State { kNew, kAsked, kFinished };
  Result<Data> StepData(const Data& in);
  Data Gone();
  Status Start(const Data& in);
  Status Load(const Data& in);
  Status LoadLog(const Data& in);
  void LoadUnread(const Data& in);
  Status LoadPages(const Data& in);
  Status LoadRowOfChange(const Data& change, const Data& given);
  Status LoadRowsAt(const Data& in);
  Status LoadJoins(const Data& in);
  void LoadStreams(const Data& in);
  Data TablesToData(const Set<TableIndex>& tables) const;
  Data ValuesToData(size_t join, const Vector<Value>& values) const;
  Data NeedsToData() const;
  void AddJoinNeeds(Data* data) const;
  void AddStreamNeeds(Data* data) const;
  Data ScopeToData(size_t scope) const;

  const Schema* schema_;
  Pull pull_;
  State state_ = State::kNew;
};

// {"scopes":[..]} -> the scopes as parsed, or an error (docs/authority.md, section 6). For the
// `hello` of a socket, and to check scopes alone.
std::string CheckScopes(const Schema& schema, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_JSON_H_
