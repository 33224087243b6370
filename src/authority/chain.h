// The chain of each (realm, client), by which every update is applied exactly once
// (docs/design.md, "The chain"). A chain row holds the client's update that was applied last in the
// realm, and the ids of the updates that were rejected as its successor, with their answers.
#ifndef SKERRY_AUTHORITY_CHAIN_H_
#define SKERRY_AUTHORITY_CHAIN_H_

#include <string>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"

namespace skerry {

struct ChainRow {
  Link last;
  Vector<std::pair<std::string, Data>> refused;  // update id, answer; oldest first
  size_t refused_bytes = 0;                      // of the answers, as JSON
  bool changed = false;                          // since it was loaded
};

enum class ChainVerdict { kAdmit, kDuplicate, kRefused, kForked, kHeld, kUnknownClient };

class Chains {
 public:
  using Key = std::pair<std::string, std::string>;  // realm, client

  void Load(std::string realm, std::string client, ChainRow row);
  // The update `id` of `client` is in the log already, with this answer.
  void LoadApplied(std::string client, std::string id, Data answer);

  // Judges an update by its place in the chains of its realms. Sets `answer` for kDuplicate and
  // kRefused. `is_oldest`: it is the first update of its request.
  ChainVerdict Judge(const std::string& client, const std::string& id, const ByRealm<Link>& after,
                     bool is_oldest, const Data** answer) const;

  void Advance(const std::string& client, const std::string& id, const ByRealm<Link>& after,
               Data answer);
  // Remembers that the update was rejected, until the next update of the client is applied in
  // `realm`: from then on the rejected one is `forked`, because its place in the chain is taken.
  // One of its realms is enough, because a late copy of the update names the same realms.
  void Refuse(const std::string& client, const std::string& id, const std::string& realm,
              const Data& answer);

  const Map<Key, ChainRow>& rows() const { return rows_; }

 private:
  Map<Key, ChainRow> rows_;
  Map<std::pair<std::string, std::string>, Data> applied_;  // client, update id
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CHAIN_H_
