// Goal: a window refuses at once what the user's own role forbids, as far as memberships are known to it. Method:
// transactions over a view that holds the memberships of one realm.
#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "client/transaction.h"
#include "client/view.h"

namespace skerry::client_test {
namespace {

const std::string kRealm = "01970000-0000-7000-8000-00000000000a";
const std::string kOther = "01970000-0000-7000-8000-00000000000b";
constexpr TableIndex kItems = 0, kMembers = 1;

Schema SchemaWithMembers() {
  const Data description = ParseJson(R"({"version":1,"tables":[
    {"name":"items","ids":"string","props":[{"name":"n","type":"number","optional":true}]},
    {"name":"$members","ids":"string","props":[
      {"name":"user","type":"string"},
      {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]}]})")
                               .value();
  return std::move(Schema::Parse(description).value());
}

class RightsWindow {
 public:
  explicit RightsWindow(const char* role) {
    Put({kItems, "x"}, {Value::Null()});
    Put({kMembers, kRealm + "/bo"}, {Value::String("bo"), Value::String("owner")});
    if (role) {
      Put({kMembers, kRealm + "/anna"},
          {Value::String("anna"), Value::String(role), Value::Bool(true)});
    }
    view_.Derive();
    REQUIRE(transaction_.Begin(2, 1).ok());
  }
  ~RightsWindow() { transaction_.Rollback(); }

  Code Do(TxCall call, TableIndex table, const std::string& id, const std::string& realm,
          const char* props = "{}") {
    Data operation = Data::MakeArray();
    operation.Push(id).Push(realm.empty() ? Data() : Data(realm)).Push(ParseJson(props).value());
    const Result<OpOutcome> outcome = transaction_.Apply(call, table, operation);
    return outcome.ok() ? Code::kOk : outcome.status().code();
  }
  Code Invite(const std::string& user, const std::string& realm = kRealm) {
    const std::string props = R"({"user":")" + user + R"(","role":"reader"})";
    return Do(TxCall::kCreate, kMembers, realm + "/" + user, realm, props.c_str());
  }

  bool IsPending(const std::string& id) const {
    return view_.IsPending(KeyIn(schema_, kMembers, id, kRealm));
  }

  // What is logged without a transaction: an op on an item, and one that moves it.
  Code Logged(const std::string& realm, const std::string& to = "") {
    Op op;
    op.kind = to.empty() ? OpKind::kUpdate : OpKind::kMove;
    op.table = kItems;
    op.id = "x";
    op.realm = realm;
    op.to = to;
    Vector<Op> ops;
    ops.push_back(std::move(op));
    return MemberRights(&view_, "anna").CheckReadOnly(ops).code();
  }
  bool MayWrite(const std::string& realm) { return MemberRights(&view_, "anna").MayWrite(realm); }

  void Freeze(Set<std::string> realms) { view_.SetFrozen(std::move(realms)); }

 private:
  void Put(const ObjectKey& key, Vector<Value> props) {
    Row row;
    row.realm = kRealm;
    row.props = std::move(props);
    row.props.resize(schema_.table(key.table).props.size());
    view_.PutBase(key, row);
    view_.Touched(row.realm, key);
  }

  Schema schema_ = SchemaWithMembers();
  Random random_{"rights"};
  View view_{&schema_};
  UuidGenerator ids_{&random_};
  Transaction transaction_{&view_, &ids_, {"A", "anna", true}};
};

TEST_CASE("answers an invitation without its row, and no other membership") {
  for (const TxCall call : {TxCall::kUpdate, TxCall::kDelete}) {
    const bool accepts = call == TxCall::kUpdate;
    const char* set = accepts ? R"({"accepted":true})" : "{}";
    CAPTURE(set);
    RightsWindow window(nullptr);
    CHECK(window.Do(call, kMembers, kRealm + "/cy", kRealm, set) == Code::kOk);
    CHECK_FALSE(window.IsPending(kRealm + "/cy"));
    CHECK(window.Do(call, kMembers, kRealm + "/anna", kRealm, set) == Code::kOk);
    CHECK(window.IsPending(kRealm + "/anna"));
  }
  RightsWindow window(nullptr);
  CHECK(window.Do(TxCall::kUpdate, kMembers, kRealm + "/anna", kRealm,
                  R"({"accepted":true,"role":"owner"})") == Code::kOk);
  CHECK_FALSE(window.IsPending(kRealm + "/anna"));
}

TEST_CASE("accepts the membership of a lost realm again, and changes nothing else there") {
  RightsWindow window("owner");
  window.Freeze({kRealm});
  const std::string own = kRealm + "/anna";
  CHECK(window.Do(TxCall::kDelete, kMembers, own, kRealm) == Code::kReadOnly);
  CHECK(window.Do(TxCall::kUpdate, kMembers, own, kRealm, R"({"role":"reader"})") ==
        Code::kReadOnly);
  CHECK_FALSE(window.IsPending(own));
  CHECK(window.Do(TxCall::kUpdate, kMembers, own, kRealm, R"({"accepted":true})") == Code::kOk);
  CHECK(window.IsPending(own));
}

TEST_CASE("refuses what a role forbids, by the role before the transaction") {
  RightsWindow reader("reader");
  CHECK(reader.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kInc, kItems, "x", "", R"({"n":1})") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kDelete, kItems, "x", "") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kMove, kItems, "x", "A") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kCreate, kItems, "y", kRealm) == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kCreate, kItems, "y", "A") == Code::kOk);
  CHECK(reader.Do(TxCall::kMove, kItems, "y", kRealm) == Code::kReadOnly);
  CHECK(reader.Invite("cy") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kDelete, kMembers, kRealm + "/bo", "") == Code::kReadOnly);
  CHECK(reader.Do(TxCall::kDelete, kMembers, kRealm + "/anna", "") == Code::kOk);
  CHECK(reader.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kReadOnly);
  RightsWindow writer("writer");
  CHECK(writer.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kOk);
  CHECK(writer.Invite("cy") == Code::kReadOnly);
  CHECK(writer.Do(TxCall::kUpdate, kMembers, kRealm + "/anna", "", R"({"role":"owner"})") ==
        Code::kReadOnly);
  RightsWindow owner("owner");
  CHECK(owner.Invite("cy") == Code::kOk);
  CHECK(owner.Do(TxCall::kUpdate, kMembers, kRealm + "/anna", "", R"({"role":"reader"})") ==
        Code::kOk);
  CHECK(owner.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kOk);
}

TEST_CASE("changes nothing in a realm that the server has lost, not even to leave it") {
  RightsWindow owner("owner");
  owner.Freeze({kRealm});
  CHECK(owner.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kReadOnly);
  CHECK(owner.Do(TxCall::kMove, kItems, "x", "A") == Code::kReadOnly);
  CHECK(owner.Do(TxCall::kCreate, kItems, "y", kRealm) == Code::kReadOnly);
  CHECK(owner.Invite("cy") == Code::kReadOnly);
  CHECK(owner.Do(TxCall::kCreate, kItems, "y", "A") == Code::kOk);
  CHECK(owner.Do(TxCall::kDelete, kMembers, kRealm + "/anna", "") == Code::kReadOnly);
  owner.Freeze({});
  CHECK(owner.Do(TxCall::kCreate, kItems, "z", kRealm) == Code::kOk);
}

TEST_CASE("holds what is logged without a transaction to the role and to lost realms") {
  RightsWindow reader("reader");
  CHECK_FALSE(reader.MayWrite(kRealm));
  CHECK(reader.Logged(kRealm) == Code::kReadOnly);
  CHECK(reader.Logged("A", kRealm) == Code::kReadOnly);
  CHECK(reader.MayWrite("A"));
  RightsWindow writer("writer");
  CHECK(writer.MayWrite(kRealm));
  CHECK(writer.Logged(kRealm) == Code::kOk);
  writer.Freeze({kRealm});
  CHECK_FALSE(writer.MayWrite(kRealm));
  CHECK(writer.Logged(kRealm) == Code::kReadOnly);
  CHECK(writer.Logged("A", kRealm) == Code::kReadOnly);
  CHECK(writer.Logged("A") == Code::kOk);
}

TEST_CASE("leaves to the server what no membership says, and refuses malformed ones") {
  RightsWindow stranger(nullptr);
  CHECK(stranger.Do(TxCall::kUpdate, kItems, "x", "", R"({"n":1})") == Code::kOk);
  CHECK(stranger.Invite("anna", kOther) == Code::kOk);
  RightsWindow owner("owner");
  const char* cy = R"({"user":"cy","role":"reader"})";
  CHECK(owner.Do(TxCall::kCreate, kMembers, "cy", kRealm, cy) == Code::kInvalidArgument);
  CHECK(owner.Do(TxCall::kCreate, kMembers, kOther + "/cy", kRealm, cy) == Code::kInvalidArgument);
  CHECK(owner.Do(TxCall::kCreate, kMembers, kRealm + "/dan", kRealm, cy) == Code::kInvalidArgument);
  CHECK(owner.Do(TxCall::kCreate, kMembers, "A/cy", "A", cy) == Code::kInvalidArgument);
  CHECK(owner.Do(TxCall::kMove, kMembers, kRealm + "/bo", kOther) == Code::kInvalidArgument);
  CHECK(owner.Do(TxCall::kUpdate, kMembers, kRealm + "/bo", "", R"({"user":"cy"})") ==
        Code::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::client_test
