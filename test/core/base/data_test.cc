// Goal: Data round-trips through its binary form and JSON; damage and hostile input give an error,
// never a crash.
#include "base/data.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"

namespace skerry {
namespace {

Data Sample() {
  Data inner = Data::MakeObject();
  inner.Set("å", "Å\n\"\\").Set("bytes", Data::Bytes(std::string("\0\1\xff", 3)));
  Data list = Data::MakeArray();
  for (const double v : {0.0, -1.0, 0.1, 9007199254740992.0, -9007199254740992.0, 1e300, 5e-324})
    list.Push(v);
  Data root = Data::MakeObject();
  root.Set("null", nullptr).Set("yes", true).Set("no", false).Set("list", list).Set("inner", inner);
  return root;
}

Data RandomData(Random* random, int depth) {
  switch (random->Below(depth > 4 ? 5 : 7)) {
    case 0:
      return {};
    case 1:
      return Data(random->Below(2) == 0);
    case 2:
      return Data(static_cast<double>(random->Next()) * (random->Unit() - 0.5));
    case 3:
      return Data(static_cast<int64_t>(random->Below(1000)) - 500);
    case 4:
      return Data(std::string(random->Below(20), static_cast<char>('a' + random->Below(26))));
    case 5: {
      Data list = Data::MakeArray();
      for (uint64_t i = random->Below(5); i > 0; --i) list.Push(RandomData(random, depth + 1));
      return list;
    }
    default: {
      Data object = Data::MakeObject();
      for (uint64_t i = random->Below(5); i > 0; --i)
        object.Set("k" + std::to_string(i), RandomData(random, depth + 1));
      return object;
    }
  }
}

TEST_CASE("round-trips binary data with negative zero and bytes") {
  std::string bytes;
  EncodeData(Sample(), &bytes);
  Result<Data> back = DecodeData(bytes);
  REQUIRE(back.ok());
  CHECK(back.value() == Sample());
  bytes.clear();
  EncodeData(Data(-0.0), &bytes);
  CHECK(std::signbit(DecodeData(bytes).value().as_number()));
}

TEST_CASE("round-trips generated data in binary and in JSON") {
  Random random("data");
  for (int i = 0; i < 2000; ++i) {
    const Data data = RandomData(&random, 0);
    std::string bytes;
    EncodeData(data, &bytes);
    REQUIRE(DecodeData(bytes).value() == data);
    REQUIRE(ParseJson(WriteJson(data)).value() == data);
  }
}

TEST_CASE("rejects every truncation of binary data") {
  std::string bytes;
  EncodeData(Sample(), &bytes);
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK(!DecodeData(std::string_view(bytes).substr(0, size)).ok());
  CHECK(!DecodeData(bytes + '\0').ok());
}

TEST_CASE("never crashes in the decoder on random bytes") {
  Random random("noise");
  for (int i = 0; i < 20000; ++i) {
    std::string bytes;
    for (uint64_t size = random.Below(40); size > 0; --size)
      bytes.push_back(static_cast<char>(random.Below(12)));
    Result<Data> decoded = DecodeData(bytes);
    if (!decoded.ok()) continue;
    std::string again;
    EncodeData(decoded.value(), &again);
    std::string once_more;
    EncodeData(DecodeData(again).value(), &once_more);
    CHECK(once_more == again);
  }
}

TEST_CASE("limits the depth of binary data and of JSON") {
  Data deep;
  for (int i = 0; i < kMaxDataDepth + 1; ++i) {
    Data outer = Data::MakeArray();
    outer.Push(std::move(deep));
    deep = std::move(outer);
  }
  std::string bytes;
  EncodeData(deep, &bytes);
  CHECK(!DecodeData(bytes).ok());
  const std::string open(kMaxJsonDepth + 1, '[');
  CHECK(ParseJson(open + std::string(kMaxJsonDepth + 1, ']')).status().code() == Code::kLimit);
  const std::string fits(kMaxJsonDepth, '[');
  CHECK(ParseJson(fits + std::string(kMaxJsonDepth, ']')).ok());
}

TEST_CASE("rejects JSON that is malformed or that no database can store") {
  for (const char* text :
       {"", "{", "[1,]", "nul", "1e999", "\"\xff\"", "\"\\ud800\"", "{\"a\":1}x", "{a:1}"}) {
    CAPTURE(text);
    CHECK(ParseJson(text).status().code() == Code::kParse);
  }
}

TEST_CASE("keeps the last of repeated keys, fast even for many") {
  CHECK(WriteJson(ParseJson(R"({"a":1,"b":2,"a":3})").value()) == R"({"b":2,"a":3})");
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += "\"k" + std::to_string(i % 50000) + "\":1,";
  text.data()[text.size() - 1] = '}';
  CHECK(ParseJson(text).value().members().size() == 50000);
}

TEST_CASE("keeps the value of numbers through JSON text") {
  for (const double v :
       {0.1, 1.0 / 3, 1e21, -2.5e-7, 123456789012345680.0, std::numeric_limits<double>::max()}) {
    CHECK(ParseJson(WriteJson(Data(v))).value().as_number() == v);
  }
  CHECK(WriteJson(Data(1760000000000.0)) == "1760000000000");
}

TEST_CASE("measures the depth of JSON without parsing it") {
  for (const auto& [text, depth] :
       Vector<std::pair<const char*, size_t>>{{"1", 0},
                                              {"[]", 1},
                                              {R"({"a":[1,{"b":2}],"c":[]})", 3},
                                              {R"(["[[[", "\\\"[[", "\\\\", [1]])", 2},
                                              {"]]]][", 1}}) {
    CHECK(JsonDepth(text) == depth);
  }
}

// Against the parser, which rejects halves of surrogate pairs: texts of up to four of these parts.
TEST_CASE("knows JSON text that stands for text which no database can hold") {
  const Vector<std::string> parts = {"a",         R"(\\)",     R"(\n)",     R"(\u0041)",
                                     R"(\u0000)", R"(\ud83d)", R"(\uD83D)", R"(\ude00)",
                                     R"(\uDE00)", "u0000"};
  size_t held = 0;
  for (size_t number = 0; number < 10'000; ++number) {
    std::string text = "\"";
    for (size_t rest = number, i = 0; i < 4; ++i, rest /= 10) text += parts[rest % 10];
    text += '"';
    CAPTURE(text);
    const Result<Data> parsed = ParseJson(text);
    const bool holds = parsed.ok() && IsStorableText(parsed.value().as_string());
    held += holds ? 1 : 0;
    REQUIRE(IsStorableJson(text) == holds);
  }
  CHECK(held > 500);
  CHECK(!IsStorableJson("\"\xff\""));
}

}  // namespace
}  // namespace skerry
