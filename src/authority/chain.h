// The chain of each (realm, client): what makes pushes exactly once (docs/design.md, "The chain").
// A chain row holds the client's update last applied in the realm, and the ids refused as its next
// one, with their answers.
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
  size_t refused_bytes = 0;                      // of the answers
  bool changed = false;
};

enum class ChainVerdict { kAdmit, kDuplicate, kRefused, kForked, kHeld, kUnknownClient };

class Chains {
 public:
  using Key = std::pair<std::string, std::string>;  // realm, client

  void Load(std::string realm, std::string client, ChainRow row);
  // `client`'s update `id` is in the log, with this answer.
  void LoadApplied(std::string client, std::string id, Data answer);

  // Where an update stands. `answer` is set for kDuplicate and kRefused. `is_oldest`: of its client
  // in its request.
  ChainVerdict Judge(const std::string& client, const std::string& id, const ByRealm<Link>& after,
                     bool is_oldest, const Data** answer) const;

  void Advance(const std::string& client, const std::string& id, const ByRealm<Link>& after,
               Data answer);
  // A refused id stays refused until the next one is applied: then it fits nowhere. One of its
  // realms remembers that, because whoever sends it again names the same ones.
  void Refuse(const std::string& client, const std::string& id, const std::string& realm,
              const Data& answer);

  const Map<Key, ChainRow>& rows() const { return rows_; }

 private:
  Map<Key, ChainRow> rows_;
  Map<std::pair<std::string, std::string>, Data> applied_;  // client, update id
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_CHAIN_H_
