// Goal: events and messages of JavaScript are read into the struct of their type, whatever else any
// script has put into them, and are written back in the same shape.
#include "log/kinds.h"

#include <variant>

#include "base/json.h"
#include "doctest/doctest.h"
#include "log/message.h"

namespace skerry {
namespace {

Data Sent(std::string_view json) { return ParseJson(json).value(); }

using SomeMessages = OneOf<LeftMessage, WakeMessage, AddedMessage>;

// The message that was taken; none if it is of another type.
std::variant<std::monostate, LeftMessage, WakeMessage, AddedMessage> Taken(Data message) {
  std::variant<std::monostate, LeftMessage, WakeMessage, AddedMessage> taken;
  SomeMessages::Visit(&message, [&](auto&& one) { taken = std::move(one); });
  return taken;
}

TEST_CASE("reads a message by its type, with or without members") {
  CHECK(std::holds_alternative<LeftMessage>(Taken(Sent(R"({"type":"left","more":1})"))));
  const auto wake = Taken(Sent(R"({"realm":"a","type":"wake","revision":4,"reason":"poke"})"));
  REQUIRE(std::holds_alternative<WakeMessage>(wake));
  CHECK(std::get<WakeMessage>(wake).reason == WakeFor::kPoke);
  CHECK(std::get<WakeMessage>(wake).realm == "a");
  CHECK(std::get<WakeMessage>(wake).revision == 4);
}

TEST_CASE("takes no message of an unknown type, and leaves it as it was") {
  for (const char* json : {R"({"type":"news"})", R"({"type":7})", R"({})", "[]", "null", "5"}) {
    Data message = Sent(json);
    CHECK_FALSE(SomeMessages::Visit(&message, [](auto&&) {}));
    CHECK(message == Sent(json));
  }
}

TEST_CASE("reads members of a wrong type as missing, and an unknown text as the first") {
  const auto wake = Taken(Sent(R"({"type":"wake","reason":"later","realm":5,"revision":-1})"));
  REQUIRE(std::holds_alternative<WakeMessage>(wake));
  CHECK(std::get<WakeMessage>(wake).reason == WakeFor::kVisible);
  CHECK_FALSE(std::get<WakeMessage>(wake).realm.has_value());
  CHECK_FALSE(std::get<WakeMessage>(wake).revision.has_value());
  const auto added = Taken(Sent(R"({"type":"added","items":[7,{"id":"m","key":3}]})"));
  REQUIRE(std::holds_alternative<AddedMessage>(added));
  // An item that is no object is damaged, and causes a reading.
  const Vector<AddedItem>& items = std::get<AddedMessage>(added).items;
  REQUIRE(items.size() == 2);
  CHECK(items[0].id.empty());
  CHECK(items[1].key.number() == 3);
}

TEST_CASE("writes the type first, then the members, but no optional ones without a value") {
  CHECK(WriteJson(WriteKind(LeftMessage())) == R"({"type":"left"})");
  CHECK(WriteJson(WriteKind(WakeMessage{WakeFor::kDue, {}, {}})) ==
        R"({"type":"wake","reason":"due"})");
  CHECK(WriteJson(WriteKind(UnreadableMessage{true})) == R"({"type":"unreadable","damaged":true})");
}

}  // namespace
}  // namespace skerry
