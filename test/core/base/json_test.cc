// Goal: the parser takes what JSON is and nothing else. Method: nlohmann's, as another opinion, on
// texts broken at random, and values that both read.
#include "base/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>

#include "base/random.h"

namespace skerry {
namespace {

constexpr std::string_view kTexts[] = {
    R"({"a":1,"b":[true,false,null],"c":{"d":"x"}})",
    R"([0,-0,1.5,-2e10,1E+2,1e-7,0.001,123456789012345678,1234567890123456789,18446744073709551616])",
    R"(["","plain","\"\\\/\b\f\n\r\t","\u00e5\u20AC\ud83d\ude00","\u0000",")"
    "\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"]",
    " \t\r\n{ \"a\" : [ ] , \"\" : { } , \"long enough to be looked at\" : [ [ ] ] } ",
};
// What breaks texts in ways that matter.
constexpr std::string_view kPieces[] = {
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "1",
    "-",
    "+",
    ".",
    "e",
    "E",
    "u",
    "n",
    "true",
    " ",
    "\n",
    "\x01",
    "\x7F",
    "\x80",
    "\xC0\x80",
    "\xED\xA0\x80",
    "\xF4\x90\x80\x80",
    "\xC3",
    "\\u",
    "\\ud83d",
    "\\udc00",
    "00",
    "9",
    "\\x",
    "'",
    "/",
    "999999999999999999999",
};

// Numbers are doubles here, theirs may be whole ones of 64 bits.
bool Same(const nlohmann::json& a, const nlohmann::json& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() == b.get<double>();
  if (a.is_array() && b.is_array()) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), Same);
  }
  if (!a.is_object() || !b.is_object()) return a == b;
  using Object = nlohmann::json::object_t;
  const auto& [x, y] = std::tie(a.get_ref<const Object&>(), b.get_ref<const Object&>());
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& one, const auto& two) {
    return one.first == two.first && Same(one.second, two.second);
  });
}

void Compare(const std::string& text) {
  // Theirs ends at a zero, and takes what follows for nothing.
  if (text.find('\0') != std::string::npos) return;
  CAPTURE(text);
  const auto theirs = nlohmann::json::parse(text, nullptr, false);
  const Result<Data> ours = ParseJson(text);
  REQUIRE(ours.ok() == !theirs.is_discarded());
  if (!ours.ok()) return;
  // Their objects are in the order of names, and keep the last member of a name, as ours do.
  const std::string back(WriteJson(ours.value()).view());
  const auto again = nlohmann::json::parse(back, nullptr, false);
  CHECK(Same(again, theirs));
}

TEST_CASE("JSON is read as another parser reads it, and broken JSON is refused alike") {
  for (const std::string_view text : kTexts) {
    REQUIRE(ParseJson(text).ok());
    Compare(std::string(text));
  }
  Random random("json");
  for (int i = 0; i < 40000; ++i) {
    std::string text(kTexts[random.Below(std::size(kTexts))]);
    for (uint64_t changes = 1 + random.Below(3); changes > 0; --changes) {
      const size_t at = random.Below(text.size() + 1);
      const std::string_view piece = kPieces[random.Below(std::size(kPieces))];
      if (random.Below(2) == 0) {
        text.insert(at, piece);
      } else {
        text.replace(at, random.Below(3), piece);
      }
    }
    Compare(text);
  }
}

TEST_CASE("a byte order mark is passed over, at the beginning only") {
  CHECK(ParseJson("\xEF\xBB\xBF[1]").ok());
  CHECK(!ParseJson("[\xEF\xBB\xBF"
                   "1]")
             .ok());
}

TEST_CASE("keys that come again share nothing but their text") {
  const Data data = ParseJson(R"([{"abc":1,"acb":2},{"acb":3,"abc":4}])").value();
  CHECK(WriteJson(data) == R"([{"abc":1,"acb":2},{"acb":3,"abc":4}])");
}

}  // namespace
}  // namespace skerry
