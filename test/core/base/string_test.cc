// Goal: String does what std::string does, and copies that share their bytes never show it. Method:
// the same random calls on several Strings, copied and moved among each other, and on std::strings.
#include "base/string.h"

#include <doctest/doctest.h>

#include <string>

#include "base/random.h"

namespace skerry {
namespace {

TEST_CASE("random histories of strings that share bytes are those of strings that do not") {
  Random random("strings");
  constexpr size_t kStrings = 4;
  for (int run = 0; run < 300; ++run) {
    String strings[kStrings];
    std::string plain[kStrings];
    for (int step = 0; step < 200; ++step) {
      const size_t i = random.Below(kStrings);
      const size_t j = random.Below(kStrings);
      String& is = strings[i];
      std::string& want = plain[i];
      const size_t at = random.Below(want.size() + 1);
      const size_t count = random.Below(30);
      const char c = static_cast<char>(random.Below(256));
      switch (random.Below(16)) {
        case 0:
          is = strings[j];
          want = plain[j];
          break;
        case 1: {
          String moved(std::move(strings[j]));
          std::string also(plain[j]);
          REQUIRE(strings[j].empty());  // NOLINT(bugprone-use-after-move)
          plain[j].clear();
          strings[i] = std::move(moved);
          plain[i] = also;
          break;
        }
        case 2:
          is.push_back(c);
          want.push_back(c);
          break;
        case 3:
          is.append(count, c);
          want.append(count, c);
          break;
        case 4:
          // Perhaps of itself.
          if (want.size() + plain[j].size() > 5000) break;
          is.append(strings[j]);
          want.append(std::string(plain[j]));
          break;
        case 5:
          if (want.size() > 5000) break;
          is.append(is.view().substr(at / 2, count));
          want.append(want.substr(at / 2, count));
          break;
        case 6:
          is.erase(at, count);
          if (at < want.size()) want.erase(at, count);
          break;
        case 7:
          is.resize(at + count, c);
          want.resize(at + count, c);
          break;
        case 8:
          is.clear();
          want.clear();
          break;
        case 9:
          is.reserve(at + count);
          REQUIRE(is.capacity() >= at + count);
          break;
        case 10:
          if (at == want.size()) break;
          is.mutable_data()[at] = c;
          want[at] = c;
          break;
        case 11:
          is.shrink_to_fit();
          break;
        case 12:
          is = is.view().substr(at);
          want = want.substr(at);
          break;
        case 13:
          is.swap(strings[j]);
          want.swap(plain[j]);
          break;
        case 14:
          is = "a" + is.substr(at, count) + "b" + String(strings[j].substr(0, 3)) + c;
          want = "a" + want.substr(at, count) + "b" + plain[j].substr(0, 3) + c;
          break;
        default:
          if (want.empty()) break;
          is.pop_back();
          want.pop_back();
      }
      for (size_t k = 0; k < kStrings; ++k) {
        REQUIRE(strings[k].view() == plain[k]);
        REQUIRE((strings[k] == strings[i]) == (plain[k] == plain[i]));
        REQUIRE((strings[k] < strings[i]) == (plain[k] < plain[i]));
        REQUIRE((strings[k] <=> plain[i]) == (plain[k] <=> plain[i]));
      }
    }
  }
}

TEST_CASE("a copy shares the bytes until one of the two is changed") {
  String one("as long as it needs to be for no short-text trick");
  const String two(one);
  CHECK(one.data() == two.data());
  one.push_back('!');
  CHECK(one.data() != two.data());
  CHECK(two == "as long as it needs to be for no short-text trick");
  const char* const own = one.data();
  one.pop_back();
  CHECK(one.data() == own);
  CHECK(one == two);
}

TEST_CASE("appending goes on in room that doubles, so many single bytes are few allocations") {
  String text;
  int moves = 0;
  for (int i = 0; i < 100'000; ++i) {
    const char* const before = text.data();
    text.push_back('x');
    moves += text.data() != before;
  }
  CHECK(moves < 20);
}

TEST_CASE("numbers in digits and back") {
  for (const uint64_t n :
       {uint64_t{0}, uint64_t{9}, uint64_t{10}, uint64_t{18446744073709551615u}}) {
    CHECK(ToText(n) == std::to_string(n));
    CHECK(LeadingNumber(ToText(n)) == n);
  }
  for (const int64_t n : {int64_t{-1}, INT64_MIN, INT64_MAX}) CHECK(ToText(n) == std::to_string(n));
  CHECK(LeadingNumber("42@1700000000000") == 42);
  CHECK(LeadingNumber("@7") == 0);
  CHECK(LeadingNumber("") == 0);
}

}  // namespace
}  // namespace skerry
