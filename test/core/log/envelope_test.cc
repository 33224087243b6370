// Goal: an envelope in a json prop without a valid date or valid bytes is rejected in new input,
// and accepted where it is stored already.
#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "log/wire.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

constexpr std::string_view kUpdate =
    R"({"id":"00000000-0000-7000-8000-000000000001","after":{"A":null},"base":{},"at":1,
    "actions":[{"id":"00000000-0000-7000-8000-000000000002","name":"n","arg":null,"at":1}],
    "ops":[{"op":"update","table":"cities","id":"00000000-0000-7000-8000-000000000003","realm":"A",
    "set":{"info":INFO},"by":[0]}]})";

Status Push(std::string_view info) {
  const std::string all(kUpdate);
  const size_t at = all.find("INFO");
  const std::string text = all.substr(0, at) + std::string(info) + all.substr(at + 4);
  const Result<Data> data = ParseJson(text);
  REQUIRE(data.ok());
  Result<Update> update = UpdateFromData(LogSchema(), data.value());
  return update.ok() ? Status::Ok() : update.status();
}

TEST_CASE("rejects new envelopes without a value, and accepts stored ones") {
  const TableDef& cities = LogSchema().table(LogSchema().FindTable("cities"));
  for (const char* wrong :
       {R"({"$type":"bytes","v":"!"})", R"({"$type":"bytes","v":5})", R"({"$type":"bytes"})",
        R"({"$type":"date","v":8.7e15})", R"({"$type":"date","v":1.5})",
        R"({"$type":"date","v":"1"})", R"({"$type":5})"}) {
    CAPTURE(wrong);
    const std::string deep = std::string(R"({"a":[1,)") + wrong + "]}";
    const Status refused = Push(deep);
    CHECK(refused.code() == Code::kInvalidArgument);
    CHECK(refused.detail().find("cities.info: an envelope") != std::string::npos);
    CHECK_FALSE(CheckEnvelopesIn(deep).ok());
    const Data set = ParseJson(std::string(R"({"info":)") + deep + "}").value();
    CHECK(SetFromData(cities, set, Origin::kStored).ok());
  }
  for (const char* right : {R"({"$type":"bytes","v":"AQI="})", R"({"$type":"date","v":-8.64e15})",
                            R"({"$type":"Anything","v":"!"})", R"({"$$type":5})", "5"}) {
    CAPTURE(right);
    CHECK(Push(right).ok());
    CHECK(CheckEnvelopesIn(right).ok());
  }
}

}  // namespace
}  // namespace skerry::test
