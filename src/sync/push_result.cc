#include "sync/push_result.h"

namespace skerry {
namespace {

struct PushAnswerBody {
  std::optional<PushResults> results;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("results", self.results);
  }
};

}  // namespace

void FromData(Data&& data, KnownAt* out) {
  if (data.is_object()) {
    FromData(std::move(data), &out->by_realm);
  } else {
    out->bare = data.as_u64();
  }
}

Data ToData(const KnownAt& at) {
  return at.bare.has_value() ? Data(*at.bare) : ToData(at.by_realm);
}

std::optional<PushResults> ReadPushResults(Data answer) {
  return ReadRecord<PushAnswerBody>(std::move(answer)).results;
}

PushResults RejectedWhole(const std::string& id, const std::string& code,
                          const std::string& detail) {
  PushRejection entry;
  entry.code = code;
  entry.detail = detail;
  PushResult result;
  result.id = id;
  result.status = PushStatus::kRejected;
  result.rejected.push_back(std::move(entry));
  PushResults results;
  results.push_back(std::move(result));
  return results;
}

}  // namespace skerry
