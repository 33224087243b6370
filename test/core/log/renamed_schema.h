// A schema that has renamed tables and props twice.
#ifndef SKERRY_TEST_CORE_LOG_RENAMED_SCHEMA_H_
#define SKERRY_TEST_CORE_LOG_RENAMED_SCHEMA_H_

#include <doctest/doctest.h>

#include <utility>

#include "base/json.h"
#include "model/schema.h"

namespace skerry::test {

inline Schema ParsedTowns(const char* text) {
  Result<Schema> schema = Schema::Parse(ParseJson(text).value());
  REQUIRE_MESSAGE(schema.ok(), schema.status().detail());
  return std::move(schema.value());
}

inline Schema PresentCities() {
  return ParsedTowns(R"({"version":3,"tables":[
    {"name":"roads","ids":"string","props":[
      {"name":"goal","was":[{"name":"to","until":3}],"type":"ref","optional":true,
       "ref":{"table":"cities"}}]},
    {"name":"cities","was":[{"name":"towns","until":2},{"name":"places","until":3}],
     "ids":"string","props":[
      {"name":"type","was":[{"name":"kind","until":2}],"type":"enum","optional":true,
       "enum":{"values":["a"]}},
      {"name":"population","was":[{"name":"pop","until":2},{"name":"people","until":3}],
       "type":"number","default":3},
      {"name":"name","type":"string"}]}]})");
}

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_LOG_RENAMED_SCHEMA_H_
