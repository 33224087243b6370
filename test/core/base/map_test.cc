// Goal: Map and Set do what std::map and std::set do, and stay flat. Method: the same random calls
// on both, and insertions in the worst order.
#include "base/map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "base/vector.h"

namespace skerry {
namespace {

template <typename A, typename B>
void RequireSame(const A& is, const B& want) {
  REQUIRE(is.size() == want.size());
  REQUIRE(is.empty() == want.empty());
  auto it = is.begin();
  for (const auto& [key, value] : want) {
    REQUIRE(it->first == key);
    REQUIRE(it->second == value);
    ++it;
  }
  REQUIRE(it == is.end());
  if (!want.empty()) REQUIRE(is.back().first == want.rbegin()->first);
}

TEST_CASE("random histories of maps are those of std::map") {
  Random random("maps");
  for (int run = 0; run < 200; ++run) {
    Map<uint64_t, String> map;
    std::map<uint64_t, String> plain;
    for (int step = 0; step < 200; ++step) {
      const uint64_t key = random.Below(60);
      const String text = ToText(random.Next());
      switch (random.Below(9)) {
        case 0:
          REQUIRE(map.emplace(key, text).second == plain.emplace(key, text).second);
          break;
        case 1:
          map[key].append(text);
          plain[key].append(text);
          break;
        case 2:
          REQUIRE(map.erase(key) == plain.erase(key));
          break;
        case 3:
          map.insert_or_assign(key, text);
          plain.insert_or_assign(key, text);
          break;
        case 4: {
          REQUIRE(map.contains(key) == plain.contains(key));
          const auto lower = map.lower_bound(key);
          const auto upper = map.upper_bound(key);
          REQUIRE((lower == map.end()) == (plain.lower_bound(key) == plain.end()));
          if (lower != map.end()) REQUIRE(lower->first == plain.lower_bound(key)->first);
          REQUIRE((upper == map.end()) == (plain.upper_bound(key) == plain.end()));
          if (upper != map.end()) REQUIRE(upper->first == plain.upper_bound(key)->first);
          break;
        }
        case 5: {
          const auto odd = [](const auto& item) { return item.first % 8 == 1; };
          REQUIRE(erase_if(map, odd) == std::erase_if(plain, odd));
          break;
        }
        case 6: {
          const auto at = map.find(key);
          const auto also = plain.find(key);
          REQUIRE((at == map.end()) == (also == plain.end()));
          if (also == plain.end()) break;
          const auto next = map.erase(at);
          const auto after = plain.erase(also);
          REQUIRE((next == map.end()) == (after == plain.end()));
          if (after != plain.end()) REQUIRE(next->first == after->first);
          break;
        }
        case 7: {
          Map<uint64_t, String> copy(map);
          REQUIRE(copy == map);
          if (!copy.empty()) copy.begin()->second += '!';
          REQUIRE((copy == map) == map.empty());
          map = std::move(copy);
          if (!plain.empty()) plain.begin()->second += '!';
          break;
        }
        default:
          if (random.Below(20) == 0) {
            map.clear();
            plain.clear();
          }
      }
      RequireSame(map, plain);
    }
  }
}

TEST_CASE("what is in a map stays where it is until it is erased") {
  Random random("places");
  Map<uint64_t, uint64_t> map;
  Vector<std::pair<uint64_t, uint64_t*>> places;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t key = random.Next();
    if (random.Below(3) == 0 && !places.empty()) {
      const size_t at = random.Below(places.size());
      REQUIRE(map.erase(places[at].first) == 1);
      places.erase(places.begin() + at);
    } else if (const auto [it, added] = map.emplace(key, key); added) {
      places.emplace_back(key, &it->second);
    }
  }
  Map<uint64_t, uint64_t> moved(std::move(map));
  for (const auto& [key, place] : places) {
    CHECK(*place == key);
    CHECK(&moved.at(key) == place);
  }
}

TEST_CASE("text is looked up by a view, and goes by its bytes") {
  const Set<String> set{"b", "a", "\xc3\xa4", "a"};
  CHECK(set.size() == 3);
  CHECK(set.contains(std::string_view("xa").substr(1)));
  CHECK_FALSE(set.contains("c"));
  CHECK(set.back() == "\xc3\xa4");
}

TEST_CASE("keys in order do not make a tree deep") {
  // Counted by comparisons, as a tree has no other use for its shape.
  struct Counted {
    int n;
    int* compared;
    std::strong_ordering operator<=>(const Counted& other) const {
      ++*compared;
      return n <=> other.n;
    }
    bool operator==(const Counted& other) const { return n == other.n; }
  };
  int compared = 0;
  Set<Counted> set;
  constexpr int kKeys = 1 << 15;
  for (int i = 0; i < kKeys; ++i) set.insert({i, &compared});
  int most = 0;
  for (int i = 0; i < kKeys; ++i) {
    compared = 0;
    REQUIRE(set.contains({i, &compared}));
    most = std::max(most, compared);
  }
  // A perfect tree needs 15; a random one seldom more than three times that.
  CHECK(most < 60);
}

}  // namespace
}  // namespace skerry
