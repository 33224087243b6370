// Goal: one update, one commit and one chain have limits in realms, actions, rows and bytes; and
// each request has the rights of its own token. Method: updates at each limit and one past it.
#include <doctest/doctest.h>

#include <string>

#include "authority/admission.h"
#include "base/json.h"
#include "base/limits.h"
#include "log/codec.h"
#include "test/core/authority/pushing.h"

namespace skerry::authority_test {
namespace {

Vector<std::string> ManyRealms(AuthorityWorld* world, size_t count) {
  Vector<std::string> realms;
  for (size_t i = 0; i < count; ++i) {
    realms.push_back("r" + std::to_string(1000 + i));
    world->AddRealm(realms.back());
    world->Grant("anna", realms.back(), "write");
  }
  return realms;
}

std::string CreateItem(const std::string& id, const std::string& realm,
                       const std::string& more = "") {
  return R"({"op":"create","table":"items","id":")" + id + R"(","realm":")" + realm +
         R"(","set":{)" + more + "}}";
}

TEST_CASE("limits the realms and the actions of an update") {
  AuthorityWorld world;
  Author one(&world, "c1");
  Vector<std::string> realms = ManyRealms(&world, kMaxRealmsPerUpdate);
  const std::string ops = "[" + CreateItem("x", realms[0]) + "]";
  CHECK(Status(one.Push(ops, realms)) == "applied");
  realms.push_back("A");
  const Data more = one.Push(ops, realms);
  CHECK(more["error"]["code"].as_string() == "limit");

  Author two(&world, "c2");
  for (const size_t count : {kMaxActionsPerUpdate, kMaxActionsPerUpdate + 1}) {
    std::string op = CreateItem("y", "A");
    op.pop_back();
    Data update = two.Make("[" + op + R"(,"by":[0]}])");
    Data actions = Data::MakeArray();
    for (size_t i = 0; i < count; ++i) {
      Data action = update["actions"].items()[0];
      actions.Push(action.Set("id", Id(1'000'000 * count + i)));
    }
    const Data result = two.Send(update.Set("actions", std::move(actions)));
    CHECK(Status(result) == (count <= kMaxActionsPerUpdate ? "applied" : "rejected"));
  }
}

TEST_CASE("limits the bytes of an update's arguments, over all of its realms") {
  AuthorityWorld world;
  Author one(&world, "c1");
  const Vector<std::string> realms = ManyRealms(&world, 8);
  for (const size_t bytes : {kMaxActionBytesTimesRealms / 8, kMaxActionBytesTimesRealms / 8 + 1}) {
    Data update = one.Make("[" + CreateItem("x", realms[0]) + "]", realms);
    Data action = update["actions"].items()[0];
    action.Set("arg", std::string(bytes - 2, 'a'));  // the quotes are two bytes of it
    update.Set("actions", Data(Data::Array{action}));
    const Result<Update> read = UpdateFromData(WorldSchema(), update);
    CHECK(read.ok() == (bytes == kMaxActionBytesTimesRealms / 8));
    CHECK(read.status().code() == (read.ok() ? Code::kOk : Code::kLimit));
  }
}

TEST_CASE("keeps a rejection in one realm where the author may write, valid for all") {
  AuthorityWorld world;
  Author one(&world, "c1");
  world.AddRealm("closed");
  const Data update = one.Make("[" + CreateItem("x", "B") + "," + CreateItem("y", "closed") + "]",
                               {"closed", "nowhere", "B", "A"});
  const Data refused = one.Send(update);
  CHECK(RejectCode(refused) == "forbidden");
  const Data::Array& chains = world.last_done()["chains"].items();
  REQUIRE(chains.size() == 1);
  CHECK(chains[0]["realm"].as_string() == "A");
  // The author gets the right, but a late copy is still rejected.
  world.Grant("anna", "closed", "write");
  world.AddRealm("nowhere");
  world.Grant("anna", "nowhere", "write");
  CHECK(one.Send(update) == refused);
  one.TakeBack(update);
  REQUIRE(Status(one.Push("[" + CreateItem("z", "A") + "]", {"A"})) == "applied");
  CHECK(Status(one.Send(update)) == "forked");
  REQUIRE(world.Row("items", "x").is_null());
}

TEST_CASE("keeps a rejection although all of its realms are forbidden") {
  AuthorityWorld world;
  Author one(&world, "c1");
  world.AddRealm("closed");
  const Data update = one.Make("[" + CreateItem("x", "closed") + "]", {"closed", "nowhere"});
  const Data refused = one.Send(update);
  CHECK(RejectCode(refused) == "forbidden");
  CHECK(world.last_done()["chains"].items().size() == 1);
  for (const char* realm : {"closed", "nowhere"}) world.Grant("anna", realm, "write");
  world.AddRealm("nowhere");
  CHECK(one.Send(update) == refused);
}

TEST_CASE("merges the reasons of a rejection that would be many times what was pushed") {
  const auto rejected = [](size_t actions, size_t ops) {
    AuthorityWorld world;
    world.AddRealm("closed");
    Author one(&world, "c1");
    std::string list = "[", by = "[";
    for (size_t i = 0; i < actions; ++i) by += (i > 0 ? "," : "") + std::to_string(i);
    for (size_t i = 0; i < ops; ++i) {
      std::string op = CreateItem("x" + std::to_string(i), "closed");
      op.insert(op.size() - 1, R"(,"by":)" + by + "]");
      list += (i > 0 ? "," : "") + op;
    }
    Data update = one.Make(list + "]", {"closed"});
    Data named = Data::MakeArray();
    for (size_t i = 0; i < actions; ++i) {
      Data action = Data::MakeObject();
      named.Push(action.Set("id", Id(1000 + i)).Set("name", "act").Set("arg", Data()).Set("at", 1));
    }
    const Data result = one.Send(update.Set("actions", std::move(named)));
    CHECK(RejectCode(result) == "forbidden");
    CHECK(WriteJson(world.last_done()["chains"]).size() < kMaxRejectionBytes + 1000);
    return result["rejected"];
  };
  const Data merged = rejected(1000, 100);
  REQUIRE(merged.items().size() == 1);
  CHECK(merged.items()[0].Find("op") == nullptr);
  CHECK(merged.items()[0]["actions"].items().size() == 1000);
  CHECK(rejected(2, 3).items().size() == 3);
}

TEST_CASE("forks a chain when its rejections have too many bytes") {
  Chains chains;
  const ByRealm<Link> after = {{"A", Link{}}};
  const Data large = Data::MakeObject().Set("detail", std::string(kMaxRefusedBytes / 10, 'a'));
  const Data* answer = nullptr;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(chains.Judge("c1", "new", after, true, &answer) == ChainVerdict::kAdmit);
    chains.Refuse("c1", "u" + std::to_string(i), "A", large);
  }
  CHECK(chains.Judge("c1", "new", after, true, &answer) == ChainVerdict::kForked);
  // The same holds after the row is read again. An applied update resets the count.
  Chains again;
  again.Load("A", "c1", chains.rows().at({"A", "c1"}));
  CHECK(again.Judge("c1", "new", after, true, &answer) == ChainVerdict::kForked);
  chains.Advance("c1", "new", after, Data());
  CHECK(chains.Judge("c1", "next", {{"A", Link{1, "new"}}}, true, &answer) == ChainVerdict::kAdmit);
}

TEST_CASE("gives two tokens of one user in a commit their own rights, in either order") {
  for (const bool is_first : {true, false}) {
    AuthorityWorld world;
    world.Grant("writing", "B", "write");
    world.Grant("reading", "B", "read");
    Author one(&world, "c1"), two(&world, "c2");
    const AuthorityWorld::Request writes{
        "c1", "anna", {one.Make("[" + CreateItem("x", "B") + "]", {"B"})}, "writing"};
    const AuthorityWorld::Request reads{
        "c2", "anna", {two.Make("[" + CreateItem("y", "B") + "]", {"B"})}, "reading"};
    const Data results = is_first ? world.Commit({writes, reads}) : world.Commit({reads, writes});
    const Data& of_writer = results.items()[is_first ? 0 : 1].items()[0];
    const Data& of_reader = results.items()[is_first ? 1 : 0].items()[0];
    CHECK(Status(of_writer) == "applied");
    CHECK(RejectCode(of_reader) == "forbidden");
  }
}

// An admission that gets its items of realm A as rows: so many would take minutes as JSON.
class Direct {
 public:
  void Load(const std::string& id, size_t bytes, const std::string& parent = {}) {
    admission_.rows().Load(Make(id, bytes, parent));
  }
  // Loaded only when the admission requests the children of `parent`.
  void Keep(const std::string& id, const std::string& parent) {
    kept_[parent] = Make(id, 0, parent);
  }

  static StoredRow Make(const std::string& id, size_t bytes, const std::string& parent) {
    const TableIndex items = WorldSchema().FindTable("items");
    const TableDef& table = WorldSchema().table(items);
    StoredRow stored{{items, id}, {}, std::nullopt};
    stored.row.realm = "A";
    stored.row.props.resize(table.props.size());
    if (bytes > 0)
      stored.row.props[table.FindProp("note")] = Value::String(std::string(bytes, 'a'));
    if (!parent.empty()) stored.row.props[table.FindProp("parent")] = Value::String(parent);
    return stored;
  }

  // The results of updates, each of which deletes some items.
  Vector<Data> Delete(const Vector<Vector<std::string>>& updates) {
    AuthorityWorld world;
    Author author(&world, "c1");
    Admission::Input input;
    input.realms["A"] = {true, 1, 1};
    input.rights.emplace_back()["A"] = Right::kWrite;
    input.requests.push_back({"c1", "anna", {}});
    for (const Vector<std::string>& ids : updates) {
      std::string ops;
      for (const std::string& id : ids) {
        ops += ops.empty() ? "[" : ",";
        ops += R"({"op":"delete","table":"items","realm":"A","id":")" + id + R"("})";
      }
      input.requests[0].updates.push_back(author.Make(ops + "]"));
    }
    REQUIRE(admission_.Begin(std::move(input)).ok());
    while (admission_.Run() == Admission::Outcome::kNeeds) {
      for (const ChildrenOf& which : admission_.TakeNeeds().children) {
        if (kept_.contains(which.id)) admission_.rows().Load(kept_[which.id]);
      }
      admission_.rows().Settle();
    }
    return admission_.results()[0];
  }

  const Admission& admission() const { return admission_; }

 private:
  Admission admission_{&WorldSchema()};
  Map<std::string, StoredRow> kept_;
};

TEST_CASE("rejects an update whose rows have too many bytes before it") {
  for (const size_t bytes : {kMaxPriorRowBytes / 4 - 1000, kMaxPriorRowBytes / 4}) {
    Direct direct;
    for (const char* id : {"a", "b", "c", "d"}) direct.Load(id, bytes);
    const Data result = direct.Delete({{"a", "b", "c", "d"}})[0];
    const bool fits = bytes < kMaxPriorRowBytes / 4;
    CHECK(Status(result) == (fits ? "applied" : "rejected"));
    if (!fits) CHECK(RejectCode(result) == "limit");
    CHECK(direct.admission().changes().size() == (fits ? 4 : 0));
  }
}

TEST_CASE("leaves all updates but the first to the next commit if this one writes enough") {
  Direct direct;
  for (const char* id : {"a", "b", "c", "d"}) direct.Load(id, kMaxBeforeBytesPerCommit / 2);
  const Vector<Data> results = direct.Delete({{"a"}, {"b"}, {"c"}, {"d"}});
  CHECK(Status(results[0]) == "applied");
  CHECK(Status(results[1]) == "applied");
  CHECK(results[2].is_null());
  CHECK(results[3].is_null());
  CHECK(direct.admission().entries().size() == 2);
  CHECK(direct.admission().chains().rows().at({"A", "c1"}).last.seq == 2);

  Direct large;
  large.Load("a", 3 * kMaxBeforeBytesPerCommit);
  large.Load("b", 10);
  const Vector<Data> of_large = large.Delete({{"a"}, {"b"}});
  CHECK(Status(of_large[0]) == "applied");
  CHECK(of_large[1].is_null());
}

TEST_CASE("rejects an update whose cascade changes one row too many") {
  for (const size_t rows : {kMaxRowsPerUpdate, kMaxRowsPerUpdate + 1}) {
    Direct direct;
    direct.Load("root", 0);
    for (size_t i = 1; i < rows; ++i) direct.Load("c" + std::to_string(i), 0, "root");
    const Data result = direct.Delete({{"root"}})[0];
    CHECK(Status(result) == (rows == kMaxRowsPerUpdate ? "applied" : "rejected"));
    if (rows > kMaxRowsPerUpdate) CHECK(RejectCode(result) == "limit");
  }
}

TEST_CASE("rejects an update that is judged too often because its cascade is deep") {
  Direct direct;
  // A chain of parents, and so many other rows that each round costs as much.
  Vector<std::string> ids;
  for (int i = 0; i < 9000; ++i) {
    ids.push_back("x" + std::to_string(i));
    direct.Load(ids.back(), 0);
  }
  direct.Load("d0", 0);
  for (int i = 1; i < 200; ++i) direct.Keep("d" + std::to_string(i), "d" + std::to_string(i - 1));
  ids.push_back("d0");
  const Data result = direct.Delete({ids})[0];
  CHECK(RejectCode(result) == "limit");
}

}  // namespace
}  // namespace skerry::authority_test
