// Goal: a rule of the application reads what a window would show of the action’s realms, after the action or
// before it, and is told
// what is wrong with its query. Method: queries of every kind beside what they have to give.
#include <doctest/doctest.h>

#include <iterator>

#include "test/core/authority/ruled_world.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("answers reads over the rows after the action, or before it, of its realms alone") {
  RuledWorld world;
  for (const char* realm : {"A", "B"}) {
    Author author(&world, std::string("setup") + realm);
    const std::string in = std::string(R"("realm":")") + realm + "\"";
    REQUIRE(Status(author.Push(R"([{"op":"create","table":"groups",)" + in +
                                   R"(,"id":"g","set":{"name":"x"}},
          {"op":"create","table":"members",)" +
                                   in + R"(,"id":"m1","set":{"group":"g","role":"a"}},
          {"op":"create","table":"members",)" +
                                   in + R"(,"id":"m2","set":{"group":"g","role":"b"}},
          {"op":"create","table":"items",)" +
                                   in + R"(,"id":"i1","set":{"n":3}},
          {"op":"create","table":"items",)" +
                                   in + R"(,"id":"i2","set":{"n":7}}])",
                               {realm})) == "applied");
  }
  struct Case {
    const char* query;
    const char* what;
    const char* column;
    const char* after;
    const char* before;
  };
  // The action adds a member m3, deletes m1, changes i1 to 10, and makes a second group.
  const Case cases[] = {
      {R"({"table":"members"})", "count", "", "2", "2"},
      {R"({"table":"members","where":["=","role","a"]})", "count", "", "0", "1"},
      {R"({"table":"members","where":["=","id","m3"]})", "count", "", "1", "0"},
      {R"({"table":"items","order":[["n","desc"]],"limit":1})", "ids", "", "i1", "i2"},
      {R"({"table":"items","order":[["n","desc"]],"offset":1})", "ids", "", "i2", "i1"},
      {R"({"table":"items"})", "sum", "n", "17", "10"},
      {R"({"table":"items"})", "max", "n", "10", "7"},
      {R"({"table":"items","where":[">","n",100]})", "min", "n", "null", "null"},
      {R"({"table":"groups","where":["exists","members",["=","role","a"],"group"]})", "ids", "", "",
       "g"},
      {R"({"table":"groups","where":["not",["exists","members",["=","role","a"],"group"]]})", "ids",
       "", "g h", ""},
      {R"({"table":"members","where":["in","group",{"table":"groups","select":"id","where":["=","name","x"]}]})",
       "ids", "", "m2 m3", "m1 m2"},
      {R"({"table":"groups","include":[{"name":"members","kind":"back","prop":"group","table":"members","query":null}]})",
       "with", "", "g:m2,m3 h:", "g:m1,m2"},
      {R"({"table":"members","where":["=","id","m2"],"include":[{"name":"group","kind":"ref","prop":"group","table":"groups","query":null}]})",
       "with", "", "m2:g", "m2:g"},
  };
  const auto text = [](const Data& value, const std::string& what) {
    if (what != "ids" && what != "with") return WriteJson(value);
    std::string out;
    for (const Data& one : value.items()) {
      out += (out.empty() ? "" : " ") + one["row"]["id"].as_string();
      if (what == "ids") continue;
      out += ":";
      bool is_first = true;
      for (const Data& inner : one["with"].items()[0].items()) {
        out += (is_first ? "" : ",") + inner["row"]["id"].as_string();
        is_first = false;
      }
    }
    return out;
  };
  Vector<Data> values;
  world.rule = [&](const Data& question) {
    if (question["reads"].items().empty()) {
      Data reads = Data::MakeArray();
      for (const Case& c : cases) {
        const std::string what = c.what;
        const char* kind = what == "ids" || what == "with" ? "rows" : c.what;
        for (const bool before : {false, true})
          reads.Push(QueryOf(c.query, before, kind, c.column));
      }
      return Data(Fields{{"place", question["place"]}, {"reads", std::move(reads)}});
    }
    values = question["values"].items();
    return Answer(question);
  };
  REQUIRE(
      Status(world.anna.Push(
          R"([{"op":"create","table":"members","realm":"A","id":"m3","set":{"group":"g","role":"c"}},
        {"op":"delete","table":"members","realm":"A","id":"m1"},
        {"op":"update","table":"items","realm":"A","id":"i1","set":{"n":10}},
        {"op":"create","table":"groups","realm":"A","id":"h","set":{"name":"y"}}])")) == "applied");
  REQUIRE(values.size() == 2 * std::size(cases));
  for (size_t i = 0; i < std::size(cases); ++i) {
    CAPTURE(cases[i].query);
    CHECK(text(values[2 * i], cases[i].what) == cases[i].after);
    CHECK(text(values[2 * i + 1], cases[i].what) == cases[i].before);
  }
}

TEST_CASE("says to a rule what is wrong with its read") {
  RuledWorld world;
  Data value;
  world.rule = [&](const Data& question) {
    if (question["reads"].items().empty()) {
      const Data read = QueryOf(R"({"table":"items","where":["=","none",1]})");
      return Data(Fields{{"place", question["place"]}, {"reads", Data::Array{read}}});
    }
    value = question["values"].items()[0];
    return Answer(question);
  };
  REQUIRE(Status(world.anna.Push("[" + CreateN("a", 1) + "]")) == "applied");
  CHECK(value["error"]["code"].Is("unknown_prop"));
}

}  // namespace
}  // namespace skerry::authority_test
