// Goal: an answer offers images of the realms for which the authority has asked for one, and of no other.
// Method: the authority's steps, with an image more than it wants.
#include <string>

#include "authority/pull_json.h"
#include "base/json.h"
#include "doctest/doctest.h"
#include "model/schema.h"

namespace skerry {
namespace {

std::string ImageOf(const char* realm) {
  return R"({"realm":")" + std::string(realm) +
         R"(","revision":5,"at":5,"epoch":"e","hash":"0123456789abcdef","bytes":9,"url":"/v1/snapshot"})";
}

TEST_CASE("an image that the authority did not ask for is not offered") {
  const Result<Schema> schema = Schema::Parse(
      ParseJson(R"({"version":1,"tables":[{"name":"todos","ids":"string","props":[]}]})").value());
  REQUIRE(schema.ok());
  PullSession session(&schema.value());
  const Data needs =
      ParseJson(
          session.Step(
              R"({"now":10,"request":{"client":"c","schema":1,"cursors":{},"have":[],"limit":100,
                    "scopes":[{"table":"todos","where":["true"],"filled":false}]},
                    "realms":{"A":{"head":5,"headAt":5,"rows":5000},"B":{"head":1,"headAt":1,"rows":1}}})"))
          .value()["needs"];
  REQUIRE(needs["images"].items().size() == 1);
  CHECK(needs["images"].items()[0]["realm"].Is("A"));
  Data answer =
      ParseJson(
          session.Step(R"({"entries":[{"realm":"B","revision":1,"at":1,"client":"d","update":"u"}],
                    "pages":[null],"images":[)" +
                       ImageOf("B") + ',' + ImageOf("A") + "]}"))
          .value()["answer"];
  REQUIRE(answer.is_object());
  size_t images = 0;
  for (const Data& fill : answer["fills"].items()) {
    if (!fill["url"].is_string()) continue;
    CHECK(fill["realm"].Is("A"));
    ++images;
  }
  CHECK(images == 1);
}

}  // namespace
}  // namespace skerry
