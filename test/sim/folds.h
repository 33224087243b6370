// Folds: the base of each profile, folded record by record from the stored records (and from the
// server's images that fill a realm). The checks compare windows, images and the server with it. It
// is notified like a check, and uses nothing that the production code has folded.
#ifndef SKERRY_TEST_SIM_FOLDS_H_
#define SKERRY_TEST_SIM_FOLDS_H_

#include <map>

#include "test/core/log/row_map.h"
#include "test/sim/checks.h"
#include "test/sim/releases.h"

namespace skerry::sim {

class Folds final : public Check {
 public:
  using Check::Check;

  void Stored(Host& host, const Data& writes, const Data& keys) override;
  void Restored(const Profile& profile, const Profile& before) override;
  void Copied(const Profile& profile, const Profile& of) override;

  // The base after record n, as this release reads it; null if there was no such record.
  const test::RowMap* RowsAt(const Profile& profile, Release release, uint64_t n) const;
  // The base at the profile's own n.
  const test::RowMap& Now(const Profile& profile, Release release);

 private:
  using ByN = std::map<uint64_t, test::RowMap>;

  static uint64_t NOf(const Profile& profile);
  void Enter(const Profile& profile, Release release, const Data& record);
  bool FillByImage(const Profile& profile, Release release, const std::string& generation,
                   test::RowMap* base);

  std::map<std::pair<size_t, Release>, ByN> folds_;  // by profile
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_FOLDS_H_
