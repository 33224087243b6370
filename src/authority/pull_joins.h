// Pull: scopes with sub-selects. Which rows are in such a scope depends on inner rows, so these are
// needed as they were at both ends of a range.
#ifndef SKERRY_AUTHORITY_PULL_JOINS_H_
#define SKERRY_AUTHORITY_PULL_JOINS_H_

#include <string_view>

#include "authority/pull.h"
#include "model/filter.h"

namespace skerry {

// The inner rows of a realm at the start of its range, or at its end. REQUIRES: the pull has loaded
// needs().selected.
class Pull::InnerRows final : public FilterContext {
 public:
  InnerRows(const Pull& pull, const Realm& realm, bool is_end)
      : pull_(pull), realm_(realm), is_end_(is_end) {}
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override;

 private:
  const Pull& pull_;
  const Realm& realm_;
  const bool is_end_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_JOINS_H_
