#include "test/fuzz/target.h"

namespace skerry::fuzz {

const Vector<Target>& Targets() {
  static const Vector<Target> targets = [] {
    Vector<Target> all;
    AddModelTargets(&all);
    AddLogTargets(&all);
    AddWindowTargets(&all);
    AddWorkerTargets(&all);
    AddAuthorityTargets(&all);
    return all;
  }();
  return targets;
}

}  // namespace skerry::fuzz
