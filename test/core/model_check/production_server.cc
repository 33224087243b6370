#include "test/core/model_check/production_server.h"

#include <utility>

namespace skerry::test {

ProductionServer::ProductionServer(const Schema* schema, const naive::Names& realms)
    : database_(schema) {
  for (const std::string& realm : realms) database_.AddRealm(realm);
}

Data::Array ProductionServer::Push(const std::string& client, const Vector<Data>& updates,
                                   double now, const naive::Rights& rights) {
  Data held = Data::MakeObject();
  for (const auto& [realm, head] : database_.heads()) {
    const naive::May right = naive::RightIn(rights, realm);
    if (right != naive::May::kNothing)
      held.Set(realm, right == naive::May::kWrite ? "write" : "read");
  }
  MemoryDatabase::Push push;
  push.now = now;
  push.requests.push_back({client, "anna", updates, std::move(held)});
  const MemoryDatabase::Admitted admitted = database_.Admit(database_.schema(), push);
  database_.Commit(database_.schema(), admitted);
  return admitted.done()["results"].items()[0].items();
}

PullAnswer ProductionServer::Pull(const Data& request, Reads reads, size_t page_rows, double now,
                                  const naive::Rights& rights) {
  MemoryDatabase::Reads read;
  read.page_rows = page_rows;
  read.page_looks = page_rows + 1;
  read.omits_all = reads == Reads::kNoOps;
  Data realms = Data::MakeObject();
  for (const auto& [realm, head] : database_.heads()) {
    if (naive::RightIn(rights, realm) == naive::May::kNothing) continue;
    realms.Set(realm, database_.HeadOf(realm));
    if (reads != Reads::kAll) read.most_entries[realm] = 1;
    if (reads >= Reads::kNoChanges) read.omitted.insert(realm);
  }
  const Data out = database_.Pull(database_.schema(), request, realms, now, read);
  return ReadPullAnswer(database_.schema(), out["answer"]).value();
}

}  // namespace skerry::test
