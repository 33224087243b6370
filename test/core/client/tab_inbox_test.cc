// Goal: a retry of what is in the inbox never destroys it: what this release cannot read, or has no
// place for, stays as it is, and the call fails with the reason; and what was left out of one object
// is made again together. Method: entries that other releases have written.
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {
namespace {

// TestSchema's groups with one more prop, and one more table.
Schema FormerSchema() {
  Result<Data> description = ParseJson(R"({"version":1,"tables":[
    {"name":"groups","ids":"string","props":[
      {"name":"name","type":"string","optional":true},
      {"name":"points","type":"number","optional":true}]},
    {"name":"files","ids":"string","props":[{"name":"name","type":"string"}]}]})");
  return std::move(Schema::Parse(description.value()).value());
}

Data EntryOf(const Op& op, const char* reason, bool is_part) {
  Mutation mutation;
  mutation.action = {"01890000-0000-7000-8000-000000000001", "change", "null", 5};
  mutation.ops = {op};
  mutation.ops[0].by = {0};
  ConflictRecord entry;
  const Schema former = FormerSchema();
  entry.table = former.table(op.table).name;
  entry.id = op.id;
  entry.reason = reason;
  entry.code = reason == std::string("dropped")       ? "no_place"
               : reason == std::string("row_deleted") ? "row_deleted"
                                                      : "forbidden";
  if (is_part) entry.part = true;
  entry.mutation = {mutation.action.id, "change", 5, EncodeMutation(former, mutation), {}, {}};
  return entry.Write();
}

Op Named(OpKind kind, const char* id, const char* name) {
  Op op = NewOp(kind, {0, id}, "A");
  op.set = {{0, Value::String(name)}};
  return op;
}

Op Pointed(const char* id) {
  Op op = NewOp(OpKind::kUpdate, {0, id}, "A");
  op.set = {{1, Value::Number(5)}};
  return op;
}

std::string Retry(Window* window, uint64_t entry) {
  window->notes.clear();
  window->Event(Data::Object{{"type", "resolve"}, {"id", entry}, {"how", "retry"}});
  window->Settle();
  for (const Data& note : window->notes) {
    if (!note["type"].Is("resolved")) continue;
    CHECK(note["id"].as_u64() == entry);
    if (!note["error"].is_null()) CHECK_FALSE(note["error"]["detail"].as_string().empty());
    return note["error"]["code"].as_string();
  }
  return "no answer";
}

TEST_CASE("keeps what has no place, or cannot be read, through a retry") {
  Pair world;
  auto& inbox = world.storage.conflicts;
  Op file = NewOp(OpKind::kCreate, {1, "f"}, "A");
  file.set = {{0, Value::String("f")}};
  inbox[1] = EntryOf(file, "rejected", false);
  inbox[2] = EntryOf(Pointed("g"), "dropped", false);
  inbox[3] = EntryOf(Pointed("h"), "dropped", true);
  inbox[4] = EntryOf(Named(OpKind::kUpdate, "i", "x"), "rejected", false);
  Data mutation = inbox[4]["mutation"];
  inbox[4].Set("mutation", mutation.Set("body", Data::Bytes("damaged")));
  const auto before = inbox;
  CHECK(Retry(&world.A(), 1) == "no_place");
  CHECK(Retry(&world.A(), 2) == "no_place");
  CHECK(Retry(&world.A(), 3) == "no_place");
  CHECK(Retry(&world.A(), 4) == "unreadable");
  CHECK(Retry(&world.A(), 5) == "not_found");
  CHECK(inbox == before);
  CHECK(world.storage.mutations.empty());
}

TEST_CASE("retries all that was left out, or lost, of one object together, under new ids") {
  const char* reason = "dropped";
  SUBCASE("left out") {}
  SUBCASE("lost") { reason = "row_deleted"; }
  CAPTURE(reason);
  Pair world;
  auto& inbox = world.storage.conflicts;
  inbox[1] = EntryOf(Named(OpKind::kCreate, "new", "one"), reason, true);
  inbox[2] = EntryOf(Named(OpKind::kUpdate, "other", "x"), reason, true);
  inbox[3] = EntryOf(Named(OpKind::kUpdate, "new", "two"), reason, true);
  // The later one of the two is asked for.
  CHECK(Retry(&world.A(), 3).empty());
  CHECK(inbox.size() == 1);
  CHECK(inbox.contains(2));
  REQUIRE(world.storage.mutations.size() == 2);
  const std::string former = "01890000-0000-7000-8000-000000000001";
  std::string last;
  for (const auto& [key, record] : world.storage.mutations) {
    CHECK_NE(record["id"].as_string(), former);
    CHECK_NE(record["id"].as_string(), last);
    last = record["id"].as_string();
  }
  const std::optional<Row> row = world.A().See(kGroupTable, "new");
  REQUIRE(row);
  CHECK(row->props[Prop(kGroupTable, "name")].text() == "two");
}

TEST_CASE("retries nothing of an object of which a part has no place") {
  Pair world;
  auto& inbox = world.storage.conflicts;
  inbox[1] = EntryOf(Named(OpKind::kCreate, "new", "one"), "dropped", true);
  inbox[2] = EntryOf(Pointed("new"), "dropped", true);
  CHECK(Retry(&world.A(), 1) == "no_place");
  CHECK(inbox.size() == 2);
  CHECK(world.storage.mutations.empty());
}

TEST_CASE("retries a refused mutation with what has no place, for the worker to keep that") {
  Pair world;
  auto& inbox = world.storage.conflicts;
  Op op = Named(OpKind::kCreate, "new", "one");
  op.set.push_back({1, Value::Number(5)});
  inbox[1] = EntryOf(op, "rejected", false);
  const Data body = inbox[1]["mutation"]["body"];
  CHECK(Retry(&world.A(), 1).empty());
  CHECK(inbox.empty());
  REQUIRE(world.storage.mutations.size() == 1);
  CHECK(world.storage.mutations.begin()->second["body"] == body);
  CHECK(world.A().See(kGroupTable, "new").has_value());
}

TEST_CASE("resolves a mutation of which a part is in the inbox as confirmed") {
  Pair world;
  const std::string id = world.A().Do(kInc, kGroupTable, "g", One("count", 1));
  world.A().Settle();
  Data entry = EntryOf(Pointed("g"), "dropped", true);
  Data mutation = entry["mutation"];
  world.storage.conflicts[1] = entry.Set("mutation", mutation.Set("id", id));
  // The record is missed, and all is read again.
  world.storage.Work({1}, {}, {Confirm(world.storage, 1)});
  world.A().Hear(Data::Object{{"type", "left"}});
  world.A().Settle();
  CHECK_EQ(Stage(world.A(), id, "confirmed"), "ok");
}

}  // namespace
}  // namespace skerry::client_test
