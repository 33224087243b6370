// Goal: what a client has appended to streams of a realm, and a restored server has lost, is appended again: each action under its
// own id, in portions, after the rows; what the log has after all is left out, and what is refused is noted. Method: the
// requests, and made-up answers.
#include "client/lost_appends.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "base/random.h"
#include "client/offers.h"
#include "log/codec.h"
#include "log/own_record.h"

namespace skerry::client_test {
namespace {

const Schema& NoTables() {
  static const Schema schema =
      std::move(Schema::Parse(ParseJson(R"({"version":3,"tables":[]})").value()).value());
  return schema;
}

Op To(std::string stream, std::string realm) {
  Op op;
  op.kind = OpKind::kAppend;
  op.stream = std::move(stream);
  op.realm = std::move(realm);
  op.by = {0};
  return op;
}

std::string SaidId(size_t number) {
  std::string digits = std::to_string(number);
  return "01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

Data Own(size_t number, uint64_t revision, const Vector<Op>& ops, std::string arg = "null") {
  Mutation mutation;
  mutation.action = {SaidId(number), "said", std::move(arg), 7, true, true};
  mutation.ops = ops;
  OwnRecord record;
  record.id = mutation.action.id;
  record.revisions = {{"A", revision}, {"B", 100}};
  record.body = EncodeMutation(NoTables(), mutation);
  return Data::Object{{"key", number}, {"value", record.Write()}};
}

Data Chat(size_t count, uint64_t from, std::string arg = "null") {
  Data own = Data::MakeArray();
  for (size_t i = 0; i < count; ++i) own.Push(Own(i, from + i, {To("chat", "A")}, arg));
  return own;
}

struct Again {
  LostAppends appends{&NoTables()};
  Random random{"appends"};
  UuidGenerator ids{&random};
  NotTaken out;

  explicit Again(const Data& own, uint64_t common = 0) {
    appends.Begin("A", OwnAppends(NoTables(), own, "A"));
    appends.LeaveOut(common);
  }
  Data Ask() { return ParseJson(appends.Ask(&ids, 900)).value(); }
  void Answer(std::string_view result) {
    appends.Take(ParseJson(R"({"time":950,"results":[)" + std::string(result) + "]}").value(),
                 &out);
  }
  static size_t Count(const Data& body) {
    return body["updates"].items()[0]["actions"].items().size();
  }
};

TEST_CASE("own actions of a lost realm are appended again as they were") {
  Data own = Chat(1, 4);
  own.Push(Own(1, 5, {To("chat", "A"), To("log", "A"), To("chat", "B")}, R"({"text":"x"})"));
  own.Push(Own(2, 6, {To("chat", "B")}));
  Again again(own, 4);
  const Data body = again.Ask();
  CHECK(body["schema"].as_u64() == 3);
  const Data& update = body["updates"].items()[0];
  CHECK(update["after"] == ParseJson(R"({"A":null})").value());
  CHECK(update["base"] == ParseJson(R"({"A":4})").value());
  CHECK(update["actions"] == ParseJson(R"([{"id":"01890000-0000-7000-8000-000000000001",
    "name":"said","arg":{"text":"x"},"at":7}])")
                                 .value());
  CHECK(update["ops"] == ParseJson(R"([{"op":"append","stream":"chat","realm":"A"},
    {"op":"append","stream":"log","realm":"A"}])")
                             .value());
  // Nobody else has this identity.
  CHECK(again.Ask()["client"] != body["client"]);
  again.Answer(R"({"status":"applied","revisions":{"A":9},"at":940})");
  CHECK(again.appends.is_done());
  CHECK(again.out.actions.empty());
  CHECK(again.out.given.at(SaidId(1)).revision == 9);
  CHECK(again.out.given.at(SaidId(1)).at == 940);
  CHECK(Again(own, 6).appends.is_done());
}

TEST_CASE("a request has so many actions, and so many bytes of arguments") {
  Again many(Chat(kMaxAppendsAtOnce + 1, 1));
  CHECK(Again::Count(many.Ask()) == kMaxAppendsAtOnce);
  many.Answer(R"({"status":"applied"})");
  CHECK(Again::Count(many.Ask()) == 1);
  Again large(Chat(10, 1, '"' + std::string(200 << 10, 'x') + '"'));
  CHECK(Again::Count(large.Ask()) == 3);
}

TEST_CASE("what the log has is left out, what is refused is noted, and the rest goes on") {
  Again again(Chat(4, 1));
  again.Ask();
  again.Answer(R"({"status":"rejected","known":{")" + SaidId(0) + R"(":3},"rejected":[
    {"actions":[")" +
               SaidId(0) + R"("],"code":"known_action","detail":"known"},
    {"op":2,"actions":[")" +
               SaidId(2) + R"("],"code":"forbidden","detail":"no right"}]})");
  CHECK(Again::Count(again.Ask()) == 2);
  again.Answer(R"({"status":"applied"})");
  CHECK(again.appends.is_done());
  REQUIRE(again.out.actions.size() == 1);
  CHECK(again.out.actions.begin()->first == SaidId(2));
  CHECK(again.out.actions.begin()->second.code == "forbidden");
  CHECK(again.out.given.at(SaidId(0)).revision == 3);
  CHECK(again.out.given.at(SaidId(0)).at == 950);
  CHECK(again.out.given.size() == 3);
}

TEST_CASE("where it is not said which action is at fault, each is appended by itself") {
  const std::string whole = R"({"status":"rejected","rejected":[{"actions":[")" + SaidId(0) +
                            R"(",")" + SaidId(1) + R"("],"code":"limit","detail":"full"}]})";
  Again again(Chat(5, 1));
  again.Ask();
  again.Answer(whole);
  CHECK(Again::Count(again.Ask()) == 1);
  again.Answer(R"({"status":"rejected","rejected":[{"actions":[")" + SaidId(0) +
               R"("],"code":"limit","detail":"full"}]})");
  CHECK(Again::Count(again.Ask()) == 1);
  again.Answer(R"({"status":"applied"})");
  CHECK(Again::Count(again.Ask()) == 2);
  again.Answer(R"({"status":"applied"})");
  again.Ask();
  // An answer that says nothing ends it all the same.
  again.Answer(R"({"status":"held"})");
  CHECK(again.appends.is_done());
  CHECK(again.out.actions.at(SaidId(0)).code == "limit");
  CHECK(again.out.actions.at(SaidId(4)).code == "history_lost");
}

TEST_CASE("what was appended comes after the rows, and not at all if nothing is taken") {
  View view(&NoTables());
  Random random("offers");
  UuidGenerator ids(&random);
  for (const bool is_taken : {true, false}) {
    Offering offering(&NoTables(), &view);
    offering.Begin("A", "9@900", "me", {{}, OwnAppends(NoTables(), Chat(1, 5), "A")});
    CHECK(offering.Ask(&ids, 900).path == "/offer");
    Data answer = ParseJson(R"({"common":4,"done":0,"taken":0,"refused":[]})").value();
    if (!is_taken) answer.Set("nothing", "history_lost");
    REQUIRE(offering.Take(answer) == is_taken);
    if (!is_taken) continue;
    CHECK(offering.Ask(&ids, 900).path == "/push");
    CHECK_FALSE(offering.Take(ParseJson(R"({"results":[{"status":"held"}]})").value()));
    CHECK(offering.not_taken().actions.size() == 1);
  }
}

TEST_CASE("each request asks whether the log still has what was given before it") {
  View view(&NoTables());
  Random random("offers");
  UuidGenerator ids(&random);
  Offering offering(&NoTables(), &view);
  offering.Begin("A", "9@900", "me",
                 {{}, OwnAppends(NoTables(), Chat(kMaxAppendsAtOnce + 1, 5), "A")});
  const auto answer = [](const char* head) {
    return ParseJson(R"({"common":4,"done":0,"taken":0,"refused":[],"head":")" + std::string(head) +
                     "\"}")
        .value();
  };
  const auto pushed = [](const char* revision) {
    return ParseJson(R"({"results":[{"status":"applied","at":90)" + std::string(revision) +
                     R"(,"revisions":{"A":)" + revision + "}}]}")
        .value();
  };
  CHECK(ParseJson(offering.Ask(&ids, 900).body).value()["given"].is_null());
  REQUIRE(offering.Take(answer("6@906")));
  REQUIRE(offering.Ask(&ids, 900).path == "/push");
  // A push does not ask, so a request without rows does: for what was there, and for the push.
  REQUIRE(offering.Take(pushed("8")));
  const Offering::Request check = offering.Ask(&ids, 900);
  REQUIRE(check.path == "/offer");
  CHECK(ParseJson(check.body).value()["given"] == Data(Data::Array{"6@906", "8@908"}));
  REQUIRE(offering.Take(answer("9@909")));
  REQUIRE(offering.Ask(&ids, 900).path == "/push");
  REQUIRE(offering.Take(pushed("10")));
  CHECK(ParseJson(offering.Ask(&ids, 900).body).value()["given"] ==
        Data(Data::Array{"9@909", "10@9010"}));
  CHECK_FALSE(offering.Take(answer("11@911")));
  CHECK(offering.not_taken().head == "11@911");
}

TEST_CASE("a server of an earlier release is not asked whether its log has what was given") {
  View view(&NoTables());
  Random random("offers");
  UuidGenerator ids(&random);
  Offering offering(&NoTables(), &view);
  offering.Begin("A", "9@900", "me", {{}, OwnAppends(NoTables(), Chat(1, 5), "A")});
  (void)offering.Ask(&ids, 900);
  REQUIRE(offering.Take(ParseJson(R"({"common":4,"done":0,"taken":0,"refused":[]})").value()));
  REQUIRE(offering.Ask(&ids, 900).path == "/push");
  CHECK_FALSE(offering.Take(
      ParseJson(R"({"results":[{"status":"applied","at":908,"revisions":{"A":8}}]})").value()));
}

}  // namespace
}  // namespace skerry::client_test
