// Goal: `like` equals its definition with backtracking, in linear time; and patterns, filters and
// all scopes together have limits of cost.
#include "model/like.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

#include "base/limits.h"
#include "model/filter_cost.h"
#include "test/core/model/world.h"

namespace skerry {
namespace {

// `like` by its definition.
bool SlowLike(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t i = 0; i <= text.size(); ++i) {
      if (SlowLike(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  size_t bytes = 1;
  if (pattern[0] == '_') {
    while (bytes < text.size() && (text[bytes] & 0xc0) == 0x80) ++bytes;
    return SlowLike(text.substr(bytes), pattern.substr(1));
  }
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  return text[0] == pattern[0] && SlowLike(text.substr(1), pattern.substr(1));
}

TEST_CASE("matches %, _ and backslash in like as its definition does, case-sensitive") {
  CHECK(LikeMatches("Stockholm", "Sto%"));
  CHECK_FALSE(LikeMatches("Stockholm", "sto%"));
  CHECK(LikeMatches("日", "_"));
  CHECK_FALSE(LikeMatches("ab", "_"));
  CHECK(LikeMatches("50%", "50\\%"));
  CHECK_FALSE(LikeMatches("50x", "50\\%"));
  CHECK(LikeMatches("a_b", "a\\_b"));
  CHECK_FALSE(LikeMatches("axb", "a\\_b"));
  CHECK_FALSE(IsLikePattern("a\\"));
  CHECK(IsLikePattern("a\\\\"));
  Random random("like");
  int matched = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = RandomText(&random, 6);
    const std::string pattern = RandomText(&random, 5);
    if (!IsLikePattern(pattern)) continue;
    const bool expected = SlowLike(text, pattern);
    matched += expected;
    REQUIRE(LikeMatches(text, pattern) == expected);
  }
  CHECK(matched > 500);
}

// Few letters, so that partial matches are frequent and long.
std::string Repetitive(Random* random, size_t limit, std::string_view letters) {
  std::string text;
  for (size_t n = random->Below(limit + 1); n > 0; --n)
    text += letters[random->Below(letters.size())];
  return text;
}

TEST_CASE("finds overlapping and adjacent parts in like as its definition does") {
  Random random("like that overlaps");
  int matched = 0;
  for (int i = 0; i < 30000; ++i) {
    const std::string text = Repetitive(&random, 14, "aab");
    std::string pattern = Repetitive(&random, 5, "aab_");
    for (uint64_t parts = random.Below(4); parts > 0; --parts)
      pattern += "%" + Repetitive(&random, 5, i % 3 ? "aab" : "aab_");
    const bool expected = SlowLike(text, pattern);
    matched += expected;
    INFO(text, " like ", pattern);
    REQUIRE(LikeMatches(text, pattern) == expected);
  }
  CHECK(matched > 1500);
}

TEST_CASE("matches a stored pattern that is longer than the current limit") {
  const std::string part(3000, 'a');
  const std::string pattern = "%" + part + "b%";
  CHECK(LikeMatches(part + part + "b", pattern));
  CHECK_FALSE(LikeMatches(part + part, pattern));
}

double Seconds(const std::function<void()>& work) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto began = std::chrono::steady_clock::now();
    work();
    least = std::min(
        least, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  return least;
}

TEST_CASE("matches like in linear time for the worst pattern without _") {
  const std::string text(1 << 19, 'a');
  const std::string part(kMaxPatternCharacters - 2, 'a');
  bool matched = false;
  const auto like = [&](const std::string& pattern) {
    return Seconds([&] { matched = matched || LikeMatches(text, pattern); });
  };
  // The same algorithm takes at most as long for longer patterns; backtracking 19 times as long.
  const double once = like("%ab%");
  CHECK(like("%" + part + "b%") < 5 * once);
  CHECK(like("%" + part + "b") < 5 * once);
  CHECK(like("%a%a%a%a%a%a%a%a%a%a%b%") < 5 * once);
  CHECK_FALSE(matched);
}

TEST_CASE("limits patterns in characters, not bytes, and in wildcards") {
  const auto repeated = [](const char* text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  CHECK(CheckLikePattern(repeated("日", kMaxPatternCharacters)).ok());
  CHECK(CheckLikePattern(repeated("日", kMaxPatternCharacters + 1)).code() == Code::kLimit);
  CHECK(CheckLikePattern(repeated("\\_", kMaxPatternCharacters / 2)).ok());
  CHECK(CheckLikePattern(repeated("\\_", kMaxPatternCharacters / 2 + 1)).code() == Code::kLimit);
  CHECK(CheckLikePattern(repeated("%", kMaxPatternWildcards)).ok());
  CHECK(CheckLikePattern(repeated("_", kMaxPatternWildcards + 1)).code() == Code::kLimit);
}

TEST_CASE("measures how far a pattern overlaps itself") {
  CHECK(MaxOverlappingMatches("aaaa%") == 0);
  CHECK(MaxOverlappingMatches("%word%") == 1);
  CHECK(MaxOverlappingMatches("%aaaa") == 4);
  CHECK(MaxOverlappingMatches("%abcabcabc%") == 3);
  CHECK(MaxOverlappingMatches("%x%aab%y%") == 2);
  CHECK(MaxOverlappingMatches("%a__b%") == 4);
  CHECK(MaxOverlappingMatches("a__b") == 0);
}

struct Costs {
  ModelWorld world;
  Filter Parse(const std::string& where) {
    const Schema& schema = world.schema();
    return ParseFilter(schema, schema.table(kCities), Json(where), false).value();
  }
  uint64_t operator()(const std::string& where) { return CostOf(Parse(where)).comparisons; }
};

TEST_CASE("costs a filter by its comparisons, text lengths, lists and like overlaps") {
  Costs cost;
  CHECK(cost(R"(["true"])") == 1);
  CHECK(cost(R"(["and",["=","population",1],["not",["=","name","x"]]])") == 4);
  CHECK(cost(R"(["=","name",")" + std::string(320, 'x') + "\"]") == 11);
  CHECK(cost(R"(["in","name",["a","b","c","d"]])") == 3);
  CHECK(cost(R"(["like","name","x%"])") == 20);
  CHECK(cost(R"(["like","name","%word%"])") == 40);
  CHECK(cost(R"(["like","name","%aaaa%"])") == 100);
  CHECK(CostOf(cost.Parse(R"(["or",["in","name",["a","b"]],["in","country",["c"]]])")).values == 3);
}

std::string Or(int count) {
  std::string where = R"(["or")";
  for (int i = 1; i < count; ++i) where += R"(,["=","population",1])";
  return where + "]";
}

TEST_CASE("limits the filters of scopes one by one and together") {
  Costs cost;
  ScopeBudget budget;
  CHECK(budget.Add(cost.Parse(Or(1001))).code() == Code::kLimit);
  for (int i = 0; i < 4; ++i) CHECK(budget.Add(cost.Parse(Or(1000))).ok());
  CHECK(budget.Add(cost.Parse(R"(["true"])")).code() == Code::kLimit);
  ScopeBudget lists;
  std::string list = R"(["in","name",["0")";
  for (int i = 1; i < 5000; ++i) list += ",\"" + std::to_string(i) + "\"";
  list += "]]";
  CHECK(lists.Add(cost.Parse(list)).ok());
  CHECK(lists.Add(cost.Parse(list)).ok());
  CHECK(lists.Add(cost.Parse(R"(["in","name",["x"]])")).code() == Code::kLimit);
}

TEST_CASE("limits the scopes of a window to five hundred; a repeated one counts once") {
  ModelWorld world;
  Data scopes = Data::MakeArray();
  const auto add = [&](int n) {
    Data scope = Data::MakeObject();
    scope.Set("table", world.schema().table(kCities).name);
    scopes.Push(scope.Set("where", Json(R"(["=","population",)" + std::to_string(n) + "]")));
    return CheckWantedScopes(world.schema(), scopes).code();
  };
  for (int n = 0; n < 500; ++n) add(n);
  CHECK(add(7) == Code::kOk);
  CHECK(add(500) == Code::kLimit);
  Data wrong = Json(R"([{"table":"cities","where":["=","nothing",1]}])");
  CHECK(CheckWantedScopes(world.schema(), wrong).code() == Code::kUnknownProp);
  wrong = Json(R"([{"table":"nothing","where":["true"]}])");
  CHECK(CheckWantedScopes(world.schema(), wrong).code() == Code::kUnknownTable);
  wrong = Json(R"([{"table":"cities","where":["like","name",")" + std::string(201, 'x') + "\"]}]");
  CHECK(CheckWantedScopes(world.schema(), wrong).code() == Code::kLimit);
}

}  // namespace
}  // namespace skerry
