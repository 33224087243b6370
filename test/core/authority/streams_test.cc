// Goal: the actions of streams are logged as they were pushed, and every client that wants a stream
// gets each of them once, in the order of the log. Method: one case for each rule.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

std::string Append(const std::string& stream, const std::string& realm = "A") {
  return R"({"op":"append","stream":")" + stream + R"(","realm":")" + realm + R"("})";
}

// "A/chat@2: id id, …" of the streams of an answer.
std::string ShortStreams(const Data& answer) {
  std::string text;
  for (const Data& item : answer["streams"].items()) {
    if (!text.empty()) text += ", ";
    text += item["realm"].as_string() + "/" + item["stream"].as_string() + "@" +
            std::to_string(item["revision"].as_u64()) + ":" +
            std::to_string(item["actions"].items().size());
  }
  return text;
}

struct Streams {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  Author bob{&world, "c2", "bob"};
  Streams() {
    for (const char* realm : {"A", "B"}) world.Grant("bob", realm, "write");
  }
  void Say(const std::string& stream, int times = 1, const std::string& realm = "A") {
    for (int i = 0; i < times; ++i)
      REQUIRE(Status(bob.Push("[" + Append(stream, realm) + "]", {realm})) == "applied");
  }
  // `streams`: as in a request. Reads A at revision `a`.
  Data Pull(uint64_t a, std::string_view streams, const Data::Array& have = {}) {
    Data request = Request("c1", R"({"A":")" + world.cursor("A", a) + R"("})", have);
    return world.Pull("anna", request.Set("streams", Json(streams)));
  }
};

TEST_CASE("streams: an append is logged under its revision and position, with its author") {
  Streams s;
  const Data update = s.bob.Make("[" + Append("chat") + "," + Append("notes") + "]");
  REQUIRE(Status(s.bob.Send(update)) == "applied");
  const Data& appends = s.world.last_done()["appends"];
  REQUIRE(appends.items().size() == 2);
  const Data& first = appends.items()[0];
  CHECK(first["stream"].as_string() == "chat");
  CHECK(first["revision"].as_u64() == 1);
  CHECK(first["position"].as_u64() == 0);
  CHECK(first["author"].as_string() == "bob");
  CHECK(first["id"] == update["actions"].items()[0]["id"]);
  CHECK(first["madeAt"] == update["actions"].items()[0]["at"]);
  CHECK(first["at"] == s.world.last_done()["at"]);
  CHECK(appends.items()[1]["position"].as_u64() == 0);
  CHECK(s.world.last_done()["entries"].items()[0]["streams"] == Json(R"(["chat","notes"])"));
}

TEST_CASE("streams: one entry's actions in a stream are numbered in the order of its ops") {
  Streams s;
  Data update = s.bob.Make("[" + Append("chat") + "]");
  Data second = update["actions"].items()[0];
  second.Set("id", Id(77));
  Data actions = update["actions"];
  update.Set("actions", actions.Push(second));
  update.Set("ops", Json(R"([{"op":"append","stream":"chat","realm":"A","by":[1]},
                             {"op":"append","stream":"chat","realm":"A","by":[0]}])"));
  REQUIRE(Status(s.bob.Send(update)) == "applied");
  const Data& appends = s.world.last_done()["appends"];
  CHECK(appends.items()[0]["id"].as_string() == Id(77));
  CHECK(appends.items()[1]["position"].as_u64() == 1);
  const Data answer = s.Pull(0, R"([{"stream":"chat","filled":{}}])");
  const Data& sent = answer["streams"].items()[0]["actions"];
  CHECK(sent.items()[0]["id"].as_string() == Id(77));
  CHECK(sent.items()[0]["author"].as_string() == "bob");
}

TEST_CASE("streams: an append is of one action, once, and its stream has a name") {
  Streams s;
  const auto code_of = [&](std::string_view ops) { return RejectCode(s.bob.Push(ops)); };
  CHECK(code_of(R"([{"op":"append","stream":"chat","realm":"A"},
                    {"op":"append","stream":"chat","realm":"A"}])") == "invalid");
  CHECK(code_of(R"([{"op":"append","stream":"doc/*","realm":"A"}])") == "invalid");
  CHECK(code_of(R"([{"op":"append","stream":"","realm":"A"}])") == "invalid");
  CHECK(code_of(R"([{"op":"append","stream":"chat","realm":"A","by":[0,0]}])") == "invalid");
  Data update = s.bob.Make(R"([{"op":"append","stream":"chat","realm":"A"}])");
  update.Remove("actions");
  CHECK(RejectCode(s.bob.Send(update)) == "invalid");
  s.bob.TakeBack(update);
  // The same action in two streams, or in one stream of two realms, is fine.
  CHECK(Status(s.bob.Push(
            "[" + Append("chat") + "," + Append("chat", "B") + "," + Append("notes") + "]",
            {"A", "B"})) == "applied");
}

TEST_CASE("streams: appends are limited, each by itself and all of an update together") {
  Streams s;
  Data update = s.bob.Make("[" + Append("chat") + "]");
  const auto with = [&](size_t bytes, size_t streams) {
    Data changed = update;
    Data action = changed["actions"].items()[0];
    action.Set("arg", std::string(bytes, 'x'));
    Data ops = Data::MakeArray();
    for (size_t i = 0; i < streams; ++i) ops.Push(Json(Append("s" + std::to_string(i))));
    changed.Set("actions", Data::MakeArray().Push(action)).Set("ops", ops);
    return changed;
  };
  CHECK(RejectCode(s.bob.Send(with((1u << 20) - 1, 1))) == "limit");
  s.bob.TakeBack(update);
  update = s.bob.Make("[" + Append("chat") + "]");
  CHECK(RejectCode(s.bob.Send(with(900'000, 3))) == "limit");
  s.bob.TakeBack(update);
  update = s.bob.Make("[" + Append("chat") + "]");
  CHECK(Status(s.bob.Send(with(900'000, 2))) == "applied");
}

TEST_CASE("streams: a reader of the realm may not append") {
  Streams s;
  s.world.Grant("bob", "A", "read");
  CHECK(RejectCode(s.bob.Push("[" + Append("chat") + "]")) == "forbidden");
  s.world.Grant("bob", "A", "none");
  CHECK(RejectCode(s.bob.Push("[" + Append("chat") + "]")) == "forbidden");
}

TEST_CASE("streams: a pull brings what lies above `filled`, of the streams that it names") {
  Streams s;
  s.Say("chat", 2);
  s.Say("doc/1");
  s.Say("doc/2");
  CHECK(ShortStreams(s.Pull(0, "[]")) == "");
  const Data chat = s.Pull(0, R"([{"stream":"chat","filled":{}}])");
  CHECK(ShortStreams(chat) == "A/chat@1:1, A/chat@2:1");
  // Nothing of B: its cursor is at revision 0.
  CHECK(chat["streamsFilled"] == Json(R"([{"stream":"chat","filled":{"A":4,"B":0}}])"));
  CHECK(ShortStreams(s.Pull(4, R"([{"stream":"chat","filled":{"A":1}}])")) == "A/chat@2:1");
  CHECK(ShortStreams(s.Pull(2, R"([{"stream":"doc/*","filled":{"A":2}}])")) ==
        "A/doc/1@3:1, A/doc/2@4:1");
  CHECK(ShortStreams(
            s.Pull(4, R"([{"stream":"doc/*","filled":{}},{"stream":"doc/2","filled":{}}])")) ==
        "A/doc/1@3:1, A/doc/2@4:1");
  CHECK(ShortStreams(s.Pull(4, R"([{"stream":"doc/*","filled":{"A":4}}])")) == "");
}

TEST_CASE("streams: nothing is read for a stream that the range did not touch") {
  Streams s;
  s.Say("chat", 3);
  s.world.reads.omits_actions = true;  // a read would leave `more`
  const Data answer = s.Pull(1, R"([{"stream":"doc/*","filled":{"A":1}}])");
  CHECK(answer["streamsFilled"].items()[0]["filled"]["A"].as_u64() == 3);
  CHECK(answer["more"] == Data(false));
  const Data touched = s.Pull(1, R"([{"stream":"chat","filled":{"A":1}}])");
  CHECK(touched["streamsFilled"].items()[0]["filled"]["A"].is_null());
  CHECK(touched["more"] == Data(true));
}

TEST_CASE("streams: pages ascend, and each has all actions of its last entry") {
  Streams s;
  Data update = s.bob.Make("[" + Append("chat") + "]");
  Data actions = update["actions"], ops = Data::MakeArray();
  for (uint64_t i = 0; i < 3; ++i) {
    if (i > 0) actions.Push(Data(actions.items()[0]).Set("id", Id(200 + i)));
    ops.Push(Json(Append("chat")).Set("by", Data::MakeArray().Push(i)));
  }
  REQUIRE(Status(s.bob.Send(update.Set("actions", actions).Set("ops", ops))) == "applied");
  s.Say("chat", 2);
  s.world.reads.most_actions = 2;
  const Data first = s.Pull(3, R"([{"stream":"chat","filled":{}}])");
  CHECK(ShortStreams(first) == "A/chat@1:3");
  CHECK(first["streamsFilled"].items()[0]["filled"]["A"].as_u64() == 1);
  CHECK(first["more"] == Data(true));
  const Data second = s.Pull(3, R"([{"stream":"chat","filled":{"A":1}}])");
  CHECK(ShortStreams(second) == "A/chat@2:1, A/chat@3:1");
  CHECK(second["streamsFilled"].items()[0]["filled"]["A"].as_u64() == 3);
  CHECK(second["more"] == Data(false));
}

TEST_CASE("streams: a client may begin with the last actions of a stream") {
  Streams s;
  s.Say("chat", 5);
  const Data answer = s.Pull(5, R"([{"stream":"chat","last":2,"filled":{}}])");
  CHECK(ShortStreams(answer) == "A/chat@4:1, A/chat@5:1");
  CHECK(answer["streamsFilled"].items()[0]["from"]["A"].as_u64() == 3);
  CHECK(answer["streamsFilled"].items()[0]["filled"]["A"].as_u64() == 5);
  CHECK(answer["more"] == Data(false));
  // With all of them, nothing was left out.
  const Data all = s.Pull(5, R"([{"stream":"chat","last":5,"filled":{}}])");
  CHECK(all["streams"].items().size() == 5);
  CHECK(all["streamsFilled"].items()[0]["from"].is_null());
  // A fill that has begun goes on without gaps.
  s.Say("chat", 3);
  CHECK(ShortStreams(s.Pull(5, R"([{"stream":"chat","last":2,"filled":{"A":5}}])")) ==
        "A/chat@6:1, A/chat@7:1, A/chat@8:1");
}

TEST_CASE("streams: own updates of `have` are named and not sent, all others are sent") {
  Streams s;
  const Data mine = s.anna.Make("[" + Append("chat") + "]");
  REQUIRE(Status(s.anna.Send(mine)) == "applied");
  s.Say("chat");
  const Data answer = s.Pull(0, R"([{"stream":"chat","filled":{}}])", {mine["id"]});
  CHECK(ShortStreams(answer) == "A/chat@2:1");
  CHECK(answer["own"][mine["id"].as_string()]["A"]["revision"].as_u64() == 1);
  // Also if its entry is below the cursor, and the stream is filled later.
  CHECK(ShortStreams(s.Pull(2, R"([{"stream":"chat","filled":{}}])", {mine["id"]})) ==
        "A/chat@2:1");
  // A restored profile does not have it any more.
  CHECK(ShortStreams(s.Pull(0, R"([{"stream":"chat","filled":{}}])")) == "A/chat@1:1, A/chat@2:1");
}

TEST_CASE("streams: another history is sent from its beginning") {
  Streams s;
  s.Say("chat", 3);
  Data request = Request("c1", R"({"A":"2@17"})");
  const Data answer =
      s.world.Pull("anna", request.Set("streams", Json(R"([{"stream":"chat","filled":{"A":2}}])")));
  CHECK(answer["reset"] == Json(R"(["A"])"));
  CHECK(ShortStreams(answer) == "A/chat@1:1, A/chat@2:1, A/chat@3:1");
}

TEST_CASE("streams: nothing of a realm that one may not read") {
  Streams s;
  s.Say("chat");
  s.world.Grant("anna", "A", "none");
  const Data answer = s.Pull(0, R"([{"stream":"chat","filled":{"A":0}}])");
  CHECK(ShortStreams(answer) == "");
  CHECK(answer["streamsFilled"].items()[0]["filled"]["A"].is_null());
}

TEST_CASE("streams: a request with malformed streams is refused") {
  Streams s;
  const auto code_of = [&](std::string_view streams) {
    return s.Pull(0, streams)["error"]["code"].as_string();
  };
  CHECK(code_of(R"({"stream":"chat"})") == "invalid");
  CHECK(code_of(R"([{"stream":7}])") == "invalid");
  CHECK(code_of(R"([{"stream":"chat","filled":{"A":-1}}])") == "invalid");
  CHECK(code_of(R"([{"stream":"chat","filled":[]}])") == "invalid");
  CHECK(code_of(R"([{"stream":"chat","last":0}])") == "invalid");
  CHECK(code_of(R"([{"stream":"doc/*","last":5}])") == "invalid");
  CHECK(code_of(R"([{"stream":"chat","last":10001}])") == "limit");
  std::string many = "[";
  for (int i = 0; i <= 100; ++i) many += (i ? "," : "") + std::string(R"({"stream":"chat"})");
  CHECK(code_of(many + "]") == "limit");
}

}  // namespace
}  // namespace skerry::authority_test
