// Goal: clients of a former release are answered by the names that they know. Method: a schema that
// has renamed tables and props twice.
#include "authority/former_schema.h"

#include <doctest/doctest.h>

#include <string>

#include "authority/pull_json.h"
#include "base/json.h"
#include "test/core/log/renamed_schema.h"

namespace skerry::test {
TEST_CASE("a schema is named as a former release names it") {
  const Schema schema = PresentCities();
  const Schema first = NamedAs(1, schema).value();
  const Schema second = NamedAs(2, schema).value();
  CHECK(first.table(1).name == "towns");
  CHECK(second.table(1).name == "places");
  CHECK(first.table(1).props[1].name == "pop");
  CHECK(second.table(1).props[1].name == "people");
  CHECK(second.table(1).props[0].name == "type");
  CHECK(second.table(0).props[0].name == "to");
  CHECK_FALSE(NamedAs(3, schema).has_value());
  CHECK_FALSE(NamedAs(0, schema).has_value());
  CHECK(HasFormerNames(schema));
  const Data plain = ParseJson(R"({"version":1,"tables":[{"name":"a","props":[]}]})").value();
  CHECK_FALSE(HasFormerNames(Schema::Parse(plain).value()));
}

TEST_CASE("a socket of a former release hears of the tables by their present names") {
  const std::string answer =
      CheckScopes(PresentCities(), R"({"schema":1,"scopes":[{"table":"towns","where":["in","id",
      {"table":"roads","select":"to"}]}]})");
  const Data tables = ParseJson(answer).value()["scopes"].items()[0]["tables"];
  CHECK(WriteJson(tables) == R"(["cities","roads"])");
}

}  // namespace skerry::test
