// Goal: an append that undoes an action is in the stream only if the log has that action. Method: one
// case for each place where the action may be.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "test/core/authority/pulling.h"

namespace skerry::authority_test {
namespace {

std::string IdOf(const Data& update) { return update["actions"].items()[0]["id"].as_string(); }

std::string Undoing(const std::string& of, const char* stream = "chat") {
  return std::string(R"([{"op":"append","realm":"A","stream":")") + stream + R"(","of":")" + of +
         R"("}])";
}

struct UndoneStream {
  AuthorityWorld world;
  Author anna{&world, "c1"};
  Data said;

  UndoneStream() {
    said = anna.Make(R"([{"op":"append","realm":"A","stream":"chat"}])");
    REQUIRE(Status(anna.Send(said)) == "applied");
  }
  const Data::Array& Appends() const { return world.last_done()["appends"].items(); }
};

TEST_CASE("streams: an undo of an action that the log has is appended") {
  UndoneStream s;
  const Data undo = s.anna.Make(Undoing(IdOf(s.said)));
  const Data result = s.anna.Send(undo);
  CHECK(Status(result) == "applied");
  CHECK(result["noops"].items().empty());
  CHECK(result["notAppended"].items().empty());
  REQUIRE(s.Appends().size() == 1);
  CHECK(s.Appends()[0]["id"].as_string() == IdOf(undo));
  // And so is a redo, which undoes that.
  REQUIRE(Status(s.anna.Push(Undoing(IdOf(undo)))) == "applied");
  CHECK(s.Appends().size() == 1);
}

TEST_CASE("streams: an undo of what is not in the log appends nothing, nor does its redo") {
  UndoneStream s;
  std::string of = Id(0xdead);
  for (int i = 0; i < 2; ++i) {
    const Data undo = s.anna.Make(Undoing(of));
    const Data result = s.anna.Send(undo);
    CHECK(Status(result) == "applied");
    CHECK(WriteJson(result["noops"]) == "[0]");
    CHECK(WriteJson(result["notAppended"]) == "[0]");
    CHECK(s.Appends().empty());
    CHECK(s.world.last_done()["entries"].items()[0]["streams"].items().empty());
    of = IdOf(undo);
  }
}

TEST_CASE("streams: an undo in the update of its action is appended, one before it is not") {
  for (const bool comes_after : {true, false}) {
    CAPTURE(comes_after);
    UndoneStream s;
    Data update = s.anna.Make(R"([{"op":"append","realm":"A","stream":"chat"}])");
    const Data action = update["actions"].items()[0];
    Data undo = action;
    undo.Set("id", Id(77));
    const std::string of = action["id"].as_string();
    const char* places[] = {comes_after ? "[0]" : "[1]", comes_after ? "[1]" : "[0]"};
    update.Set("actions", comes_after ? Data::Array{action, undo} : Data::Array{undo, action});
    const std::string ops = std::string(R"([{"op":"append","realm":"A","stream":"chat","by":)") +
                            places[0] + R"(},{"op":"append","realm":"A","stream":"chat","of":")" +
                            of + R"(","by":)" + places[1] + "}]";
    update.Set("ops", Json(ops));
    const Data result = s.anna.Send(update);
    CHECK(Status(result) == "applied");
    REQUIRE(s.Appends().size() == (comes_after ? 2 : 1));
    CHECK(s.Appends()[0]["id"].as_string() == of);
    CHECK(s.Appends()[0]["position"].as_u64() == 0);
    CHECK(WriteJson(result["notAppended"]) == (comes_after ? "null" : "[1]"));
  }
}

TEST_CASE("streams: the client that pushed it is told which appends are not there") {
  UndoneStream s;
  const Data undo = s.anna.Make(Undoing(Id(0xdead)));
  s.anna.Send(undo);
  for (const uint64_t from : {1, 2}) {
    CAPTURE(from);
    Data request =
        Request("c1", R"({"A":")" + s.world.cursor("A", from) + R"("})", Data::Array{undo["id"]});
    const Data answer =
        s.world.Pull("anna", request.Set("streams", Json(R"([{"stream":"chat"}])")));
    CHECK(WriteJson(answer["own"][undo["id"].as_string()]["A"]["notAppended"]) == "[0]");
  }
}

}  // namespace
}  // namespace skerry::authority_test
