// Goal: a window leaves no realm without an owner, and raises roles as the server merges them. Method: transactions of an owner
// over a view with the members of one realm.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "base/random.h"
#include "client/transaction.h"
#include "client/view.h"

namespace skerry::client_test {
namespace {

const std::string kShared = "01970000-0000-7000-8000-00000000000a";
constexpr TableIndex kMembership = 0;

class OwnersWindow {
 public:
  explicit OwnersWindow(bool is_anna_owner = true) {
    view_.Derive();
    REQUIRE(transaction_.Begin(2, 1).ok());
    if (is_anna_owner) Is("anna", "owner", Value::Null());
  }
  ~OwnersWindow() { transaction_.Rollback(); }

  void Is(const std::string& user, const char* role, Value accepted) {
    Row row;
    row.realm = kShared;
    row.props = {Value::String(user), Value::String(role), std::move(accepted), Value::Null()};
    view_.PutBase({kMembership, kShared + "/" + user}, row);
    view_.Touched(kShared, {kMembership, kShared + "/" + user});
    view_.Derive();
  }
  // Whether the call has changed something.
  bool Do(TxCall call, const std::string& user, const std::string& props = "{}") {
    Data operation = Data::MakeArray();
    operation.Push(kShared + "/" + user).Push(kShared).Push(ParseJson(props).value());
    const Result<OpOutcome> outcome = transaction_.Apply(call, kMembership, operation);
    REQUIRE(outcome.ok());
    return outcome.value().changed;
  }
  Code Commit() {
    const auto committed = transaction_.Commit("act", Data("null"));
    if (!committed.ok()) return committed.status().code();
    // The view holds it until here.
    if (committed.value()) view_.Detach(committed.value().get());
    return Code::kOk;
  }
  std::string RoleOf(const std::string& user) const {
    const auto row = view_.Visible(KeyIn(schema_, kMembership, kShared + "/" + user, kShared));
    return row ? std::string(row->props[kMemberRole].text()) : "none";
  }

 private:
  Schema schema_ = std::move(Schema::Parse(ParseJson(R"({"version":1,"tables":[
    {"name":"$members","ids":"string","props":[
      {"name":"user","type":"string"},
      {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
      {"name":"accepted","type":"boolean","optional":true},
      {"name":"by","type":"string","optional":true}]}]})")
                                               .value())
                                 .value());
  Random random_{"owners"};
  View view_{&schema_};
  UuidGenerator ids_{&random_};
  Transaction transaction_{&view_, &ids_, {"A", "anna", true}};
};

constexpr const char* kWriter = R"({"role":"writer"})";

TEST_CASE("the last owner goes only where no member is left") {
  {
    OwnersWindow alone;
    CHECK(alone.Do(TxCall::kDelete, "anna"));
    CHECK(alone.Commit() == Code::kOk);
  }
  for (const TxCall call : {TxCall::kDelete, TxCall::kUpdate}) {
    OwnersWindow window;
    window.Is("bo", "writer", Value::Null());
    CHECK(window.Do(call, "anna", call == TxCall::kUpdate ? kWriter : "{}"));
    CHECK(window.Commit() == Code::kLastOwner);
  }
  OwnersWindow two;
  two.Is("bo", "owner", Value::Bool(true));
  CHECK(two.Do(TxCall::kDelete, "anna"));
  CHECK(two.Commit() == Code::kOk);
}

TEST_CASE("an owner who has not accepted is none, and is not left behind") {
  OwnersWindow window;
  window.Is("bo", "owner", Value::Bool(false));
  CHECK(window.Do(TxCall::kDelete, "anna"));
  CHECK(window.Commit() == Code::kLastOwner);
}

TEST_CASE("where the device knows no owner, a right of another kind may invite") {
  OwnersWindow window(false);
  window.Is("bo", "writer", Value::Null());
  CHECK(window.Do(TxCall::kCreate, "cy", R"({"user":"cy","role":"reader"})"));
  CHECK(window.Commit() == Code::kOk);
}

TEST_CASE("the owners count after the whole transaction") {
  OwnersWindow window;
  window.Is("bo", "reader", Value::Bool(true));
  CHECK(window.Do(TxCall::kUpdate, "anna", kWriter));
  CHECK(window.Do(TxCall::kUpdate, "bo", R"({"role":"owner"})"));
  CHECK(window.Commit() == Code::kOk);
}

TEST_CASE("who is invited again keeps a higher role, and an update lowers it") {
  const auto as = [](const char* role) {
    return std::string(R"({"user":"bo","role":")") + role + "\"}";
  };
  OwnersWindow window;
  window.Is("bo", "writer", Value::Null());
  CHECK_FALSE(window.Do(TxCall::kUpsert, "bo", as("reader")));
  CHECK_FALSE(window.Do(TxCall::kUpsert, "bo", as("writer")));
  CHECK(window.RoleOf("bo") == "writer");
  CHECK(window.Do(TxCall::kUpsert, "bo", as("owner")));
  CHECK(window.RoleOf("bo") == "owner");
  CHECK(window.Do(TxCall::kUpdate, "bo", R"({"role":"reader"})"));
  CHECK(window.RoleOf("bo") == "reader");
  CHECK(window.Commit() == Code::kOk);
}

}  // namespace
}  // namespace skerry::client_test
