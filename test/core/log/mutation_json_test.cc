// Goal: exported mutations come back as they were, and what a server would reject without looking
// at rows is rejected by name. Method: round trips through JSON text; one mistake at a time.
#include <utility>

#include "doctest/doctest.h"
#include "log/codec.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

TEST_CASE("round-trips a user's exported mutations through JSON text") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    OpMaker maker(&random);
    skerry::Update update = maker.AnyUpdate();
    Mutation mutation;
    mutation.action = {TestUuid(7), "rename", R"({"x":[1,"Å"]})", 1760000000000};
    mutation.base = update.base;
    mutation.ops = std::move(update.ops);
    for (Op& op : mutation.ops) op.by = {0};
    const std::string text = WriteJson(MutationToData(LogSchema(), mutation));
    CAPTURE(text);
    const Result<Mutation> read = MutationFromData(LogSchema(), ParseJson(text).value());
    REQUIRE_MESSAGE(read.ok(), read.status().detail());
    REQUIRE(read.value() == mutation);
  }
}

TEST_CASE("rejects exported mutations that do not fit, and names what is wrong") {
  const char* right =
      R"({"id":"01890000-0000-7000-8000-000000000003","name":"a","at":1,"arg":null,"base":{},)"
      R"("ops":[{"op":"inc","table":"tags","id":"se","realm":"public","add":{"uses":5}}]})";
  const auto refused = [&](std::string_view key, Data value) {
    Data data = ParseJson(right).value();
    data.Set(key, std::move(value));
    const Result<Mutation> read = MutationFromData(LogSchema(), data);
    return read.ok() ? Code::kOk : read.status().code();
  };
  const auto ops = [](const char* text) { return ParseJson(text).value(); };
  CHECK(refused("name", "b") == Code::kOk);
  CHECK(refused("id", "x") != Code::kOk);
  CHECK(refused("name", "") != Code::kOk);
  CHECK(refused("at", "1") != Code::kOk);
  CHECK(refused("base", 1) == Code::kInvalidArgument);
  CHECK(refused("ops", nullptr) == Code::kInvalidArgument);
  CHECK(refused("ops", Data::MakeArray()) == Code::kInvalidArgument);
  CHECK(refused("ops", ops(R"([{"op":"delete","table":"planets","id":"x","realm":"public"}])")) ==
        Code::kUnknownTable);
  CHECK(refused("ops", ops(R"([{"op":"delete","table":"tags","id":"x"}])")) != Code::kOk);
}

}  // namespace
}  // namespace skerry::test
