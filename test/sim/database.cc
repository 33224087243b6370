#include "test/sim/database.h"

#include "base/json.h"
#include "test/core/model_check/check_schema.h"
#include "test/sim/server_images.h"

namespace skerry::sim {

Database::Database(const Schema* columns) : MemoryDatabase(columns) {
  for (const std::string& realm : test::CheckRealms()) AddRealm(realm);
}

Database::Admitted Database::AdmitAll(const Schema& served, const Vector<Data>& requests,
                                      double now) const {
  Data rights = Data::MakeObject();
  for (const auto& [realm, head] : heads()) rights.Set(realm, "write");
  Push push;
  push.now = now;
  for (const Data& request : requests) {
    push.requests.push_back(
        {request["client"].as_string(), "anna", request["updates"].items(), rights});
  }
  Admitted admitted = Admit(served, push);
  SKERRY_CHECK(admitted.done().is_object());
  return admitted;
}

std::string Database::PullText(const Schema& served, const Data& request, const PullLimits& limits,
                               double now, ServerImages* images) const {
  Data realms = Data::MakeObject();
  for (const auto& [realm, head] : heads()) {
    const uint64_t rows = images != nullptr && head.head > 0 ? images->rows() : 0;
    realms.Set(realm, HeadOf(realm).Set("rows", rows));
  }
  Reads reads;
  reads.page_rows = limits.page_rows;
  reads.image = [&](const std::string& realm) { return images->Offer(realm, served, *this); };
  for (int attempt = 0;; ++attempt) {
    const Data out = Pull(served, request, realms, now, reads);
    if (out["gone"].as_bool()) return {};
    SKERRY_CHECK(out["answer"].is_object());
    std::string answer = WriteJson(out["answer"]);
    if (limits.bytes == 0 || answer.size() <= limits.bytes || attempt == 3) return answer;
    reads.page_rows = 1;
    for (const auto& [realm, head] : heads()) {
      if (attempt == 0) reads.most_entries[realm] = 1;
      if (attempt == 1) reads.omitted.insert(realm);
    }
    reads.omits_all = attempt == 2;
  }
}

}  // namespace skerry::sim
