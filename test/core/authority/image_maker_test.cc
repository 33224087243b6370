// Goal: the client's own loader reads from a realm's image the rows that were put into it.
#include "authority/image_maker.h"

#include <doctest/doctest.h>

#include <string>

#include "log/image.h"
#include "test/core/authority/world.h"

namespace skerry::authority_test {
namespace {

TEST_CASE("writes every live row at the given cursor into an image, with a checksum") {
  ImageMaker maker(&WorldSchema(), "A", {7, 1'000'020});
  const std::string row =
      R"({"table":"cities","id":"x","realm":"A","createdAt":5,"modifiedAt":6,"revision":7,"props":{"name":"Åre","population":1.5}})";
  const std::string dead =
      R"({"table":"cities","id":"y","realm":"A","createdAt":5,"modifiedAt":6,"revision":7,"deletedAt":6,"props":{"name":"gone"}})";
  CHECK(maker.Rows(R"({"rows":[)" + row + "]}") == "{}");
  CHECK(maker.Rows(R"({"rows":[)" + dead + "]}") == "{}");
  const Data finished = Json(maker.FinishJson());
  CHECK(finished["bytes"].as_u64() == maker.bytes().size());
  CHECK(finished["hash"].as_string() == ImageChecksum(maker.bytes()));
  const Result<ImageHeader> header = ReadImageHeader(maker.bytes());
  REQUIRE(header.ok());
  REQUIRE(header.value().cursors.size() == 1);
  CHECK(header.value().cursors[0].second == "7@1000020");
  Base base(&WorldSchema());
  BaseSink sink(&base);
  REQUIRE(LoadImage(WorldSchema(), SharedBytes(maker.bytes()), &sink).ok());
  const TableIndex cities = WorldSchema().FindTable("cities");
  REQUIRE(base.GetBase("A", {cities, "x"}).has_value());
  CHECK(base.GetBase("A", {cities, "x"})->props[0].text() == "Åre");
  CHECK_FALSE(base.GetBase("A", {cities, "y"}).has_value());
}

TEST_CASE("fails for rows of another realm, and for rows after the end") {
  ImageMaker maker(&WorldSchema(), "A", {7, 1});
  const std::string row =
      R"({"rows":[{"table":"countries","id":"x","realm":"B","props":{"name":"n"}}]})";
  CHECK(Json(maker.Rows(row))["error"]["code"].as_string() == "misuse");
  CHECK(Json(maker.Rows(R"({"rows":[{"table":"nothing","id":"x","realm":"A","props":{}}]})"))
            .Find("error") != nullptr);
  maker.FinishJson();
  CHECK(Json(maker.Rows(
            R"({"rows":[{"table":"countries","id":"x","realm":"A","props":{"name":"n"}}]})"))
            ["error"]["code"]
                .as_string() == "misuse");
}

}  // namespace
}  // namespace skerry::authority_test
