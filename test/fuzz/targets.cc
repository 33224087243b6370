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

Vector<std::string> SeedsOfMessages(const Data::Array& messages) {
  Vector<std::string> seeds;
  for (const Data& message : messages) seeds.push_back(EncodeData(Data(Data::Array{message})));
  seeds.push_back(EncodeData(Data(messages)));
  return seeds;
}

}  // namespace skerry::fuzz
