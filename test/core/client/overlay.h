// A view, and one transaction of a window over it, with few words for its operations.
#ifndef SKERRY_TEST_CORE_CLIENT_OVERLAY_H_
#define SKERRY_TEST_CORE_CLIENT_OVERLAY_H_

#include <memory>
#include <string>
#include <utility>

#include "base/id.h"
#include "client/transaction.h"
#include "doctest/doctest.h"
#include "test/core/client/client_fixture.h"

namespace skerry::client_test {

struct Overlay {
  Overlay()
      : random("overlay"),
        ids(&random),
        view(&TestSchema()),
        transaction(&view, &ids, {"A", std::nullopt, true}) {}
  void Base(TableIndex table, const std::string& id, const Sets& sets, double at = 1,
            const std::string& realm = "A") {
    view.PutBase({table, id}, MakeRow(table, sets, at, realm));
    view.Touched(realm, {table, id});
    view.Derive();
  }
  void Begin() { REQUIRE(transaction.Begin(100, ++serial).ok()); }
  Result<OpOutcome> Do(int kind, TableIndex table, Data id, const Sets& sets = {},
                       Data realm = {}) {
    Data props = Data::MakeObject();
    for (const auto& [name, plain] : sets) props.Set(name, plain);
    Data operation = Data::MakeArray();
    operation.Push(std::move(id)).Push(std::move(realm)).Push(std::move(props));
    return transaction.Apply(TxCallOf(kind).value(), table, operation);
  }
  Pending* Commit() {
    Result<std::unique_ptr<Pending>> done = transaction.Commit("edit", "null");
    REQUIRE(done.ok());
    REQUIRE(done.value() != nullptr);
    return pending.Add(std::move(done.value()));
  }
  bool Has(TableIndex table, const std::string& id) {
    return view.Visible({table, id}).has_value();
  }
  Code CodeOf(const Result<OpOutcome>& outcome) {
    return outcome.ok() ? Code::kOk : outcome.status().code();
  }

  Random random;
  UuidGenerator ids;
  View view;
  Transaction transaction;
  PendingList pending;
  uint64_t serial = 0;
};

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_OVERLAY_H_
