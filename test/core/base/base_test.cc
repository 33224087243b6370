// Goal: checksums, ids, text, sorting and byte readers do what their headers say.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/id.h"
#include "base/random.h"
#include "base/sort.h"
#include "base/text.h"
#include "base/vector.h"

namespace skerry {
namespace {

TEST_CASE("gives the published values of XXH64") {
  // From the specification's test vectors: the empty input, and the digest of "abc" as the
  // reference program prints it.
  CHECK(Hex16(Xxh64("")) == "ef46db3751d8e999");
  CHECK(Hex16(Xxh64("abc")) == "44bc2cf5ad770999");
  CHECK(Hex16(Xxh64("Nobody inspects the spammish repetition")) == "fbcea83c8a378bf1");
}

TEST_CASE("changes the checksum for every flipped bit") {
  std::string text(100, 'x');
  const uint64_t sum = Xxh64(text);
  for (size_t i = 0; i < text.size() * 8; ++i) {
    text.data()[i / 8] = static_cast<char>(text[i / 8] ^ 1 << i % 8);
    CHECK(Xxh64(text) != sum);
    text.data()[i / 8] = static_cast<char>(text[i / 8] ^ 1 << i % 8);
  }
}

TEST_CASE("accepts only the canonical form of a UUID, and writes it back the same") {
  Uuid id;
  REQUIRE(ParseUuid("0199c0de-0000-7abc-8def-0123456789ab", &id));
  CHECK(UuidText(id) == "0199c0de-0000-7abc-8def-0123456789ab");
  for (const char* text :
       {"", "0199C0DE-0000-7abc-8def-0123456789ab", "0199c0de00007abc8def0123456789ab",
        "0199c0de-0000-7abc-8def-0123456789ag", "0199c0de-0000-7abc-8def-0123456789abc"}) {
    CHECK(!ParseUuid(text, &id));
  }
}

TEST_CASE("accepts only digits and dashes in their places in the text of a UUID") {
  const std::string good = "01234567-89ab-7cde-8f01-23456789abcd";
  Uuid id;
  REQUIRE(ParseUuid(good, &id));
  CHECK(id.high == 0x0123456789ab7cdeu);
  CHECK(id.low == 0x8f0123456789abcdu);
  for (size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text.data()[at] = static_cast<char>(byte);
      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      const bool digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
      const bool right = ParseUuid(text, &id);
      REQUIRE(right == (dash ? byte == '-' : digit));
      if (right) REQUIRE(UuidText(id) == text);
    }
  }
}

TEST_CASE("increases generated ids within a millisecond and when the clock steps back") {
  Random random("ids");
  UuidGenerator generator(&random);
  std::string last;
  std::set<std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    // Another script may have written any number into a stored clock.
    const double wrong = i % 3 == 0 ? 1e300 : i % 3 == 1 ? -1 : 1.0 / 0.0;
    const double right = i < 10000 ? 1.76e12 : 1.76e12 - 86400000 + i / 100;
    const double now = i % 100 == 99 ? wrong : right;
    const std::string id = generator.Next(now);
    CHECK(id > last);
    CHECK(id[14] == '7');
    CHECK(seen.insert(id).second);
    last = id;
  }
}

TEST_CASE("derives ids that are the same everywhere, with the time of the first") {
  Random random("ids");
  UuidGenerator generator(&random);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string id = generator.Next(1.76e12 + i);
    for (uint64_t number = 1; number <= 20; ++number) {
      const std::string derived = DerivedUuid(id, number);
      CHECK(DerivedUuid(id, number) == derived);
      CHECK(seen.insert(derived).second);
      CHECK(derived.substr(0, 15) == id.substr(0, 15));
      Uuid parsed;
      CHECK(ParseUuid(derived, &parsed));
    }
  }
  // On every machine, for ever: two devices may have different versions of this code.
  CHECK(DerivedUuid("01890000-0000-7000-8000-000000000042", 1) ==
        "01890000-0000-799a-b232-b22b556d47c8");
}

TEST_CASE("round-trips base64, and rejects other text") {
  Random random("base64");
  for (int i = 0; i < 500; ++i) {
    std::string bytes;
    for (uint64_t size = random.Below(50); size > 0; --size)
      bytes.push_back(static_cast<char>(random.Below(256)));
    std::string back;
    REQUIRE(Base64Decode(Base64Encode(bytes), &back));
    CHECK(back == bytes);
  }
  CHECK(Base64Encode("any carnal pleasure") == "YW55IGNhcm5hbCBwbGVhc3VyZQ==");
  std::string out;
  for (const char* text : {"A", "AAA", "A===", "AA=A", "AAA*", "====", "AA==AAAA"}) {
    CAPTURE(text);
    CHECK(!Base64Decode(text, &out));
  }
}

TEST_CASE("accepts as storable text only UTF-8 without U+0000, surrogates, overlong forms") {
  for (const char* text : {"", "plain", "Å\xe2\x82\xac\xf0\x9f\x8f\x9d", "\x7f\t\n"})
    CHECK(IsStorableText(text));
  for (const std::string& text :
       {std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\x80"),
        std::string("\xed\xa0\x80"), std::string("\xe2\x82"), std::string("\xf4\x90\x80\x80"),
        std::string("\x80")}) {
    CHECK(!IsStorableText(text));
  }
}

TEST_CASE("counts the UTF-16 units of a text like a JavaScript string's length") {
  CHECK(Utf16Size("") == 0);
  CHECK(Utf16Size("plain") == 5);
  CHECK(Utf16Size("Å\xe2\x82\xac\xf0\x9f\x8f\x9d\xf4\x8f\xbf\xbf") == 6);
}

TEST_CASE("sorts like std::sort for every order and type") {
  Random random("sort");
  for (int i = 0; i < 500; ++i) {
    Vector<std::string> texts;
    for (uint64_t n = random.Below(40); n > 0; --n)
      texts.push_back(std::to_string(random.Below(30)));
    Vector<std::string> wanted = texts;
    std::sort(wanted.begin(), wanted.end());
    Sort(texts.begin(), texts.end());
    CHECK(texts == wanted);
    std::sort(wanted.begin(), wanted.end(), std::greater<>());
    Sort(texts.begin(), texts.end(),
         [](const std::string& a, const std::string& b) { return a > b; });
    CHECK(texts == wanted);
  }
}

TEST_CASE("never reads past the end, and accepts only one encoding of a varint") {
  std::string bytes;
  PutVarint(&bytes, 300);
  PutText(&bytes, "text");
  Reader in(bytes);
  CHECK(in.Varint() == 300);
  CHECK(in.Text() == "text");
  CHECK(in.AtEnd());
  CHECK(in.U64() == 0);
  CHECK(in.failed());
  Reader overlong(std::string_view("\x80\x00", 2));
  overlong.Varint();
  CHECK(overlong.failed());
  Reader huge(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  huge.Varint();
  CHECK(huge.failed());
}

}  // namespace
}  // namespace skerry
