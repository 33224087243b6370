// Goal: Vector does what std::vector does: for plain elements, for elements that are moved by
// their bytes, and for elements that must not be. Method: the same random calls on both.
#include "base/vector.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/data.h"
#include "base/random.h"
#include "doctest/doctest.h"

namespace skerry::test {
namespace {

// Knows its own address, and counts its instances: it detects a move by bytes.
class Pinned {
 public:
  Pinned() : Pinned(0) {}
  explicit Pinned(uint32_t value) : value_(value), self_(this) { ++live; }
  Pinned(const Pinned& other) : Pinned(other.value_) {}
  Pinned(Pinned&& other) noexcept : Pinned(std::exchange(other.value_, 0)) {}
  Pinned& operator=(const Pinned& other) {
    REQUIRE(self_ == this);
    value_ = other.value_;
    return *this;
  }
  ~Pinned() {
    REQUIRE(self_ == this);
    --live;
  }
  friend bool operator==(const Pinned&, const Pinned&);
  static inline int live = 0;

 private:
  uint32_t value_;
  Pinned* self_;
};
bool operator==(const Pinned& a, const Pinned& b) { return a.value_ == b.value_; }

// Owns memory and may be moved by its bytes.
class Boxed {
 public:
  explicit Boxed(uint32_t value = 0) : value_(new uint32_t(value)) {}
  Boxed(const Boxed& other) : Boxed(*other.value_) {}
  Boxed(Boxed&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Boxed& operator=(Boxed other) {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Boxed() { delete value_; }
  friend bool operator==(const Boxed& a, const Boxed& b) { return *a.value_ == *b.value_; }

 private:
  uint32_t* value_;
};

struct Plain {
  uint32_t a = 0;
  double b = 0;
};
struct Pair {
  Boxed boxed;
  std::optional<Boxed> maybe;
  Vector<Boxed> more;
};
struct WithMap {
  Boxed boxed;
  std::map<int, int> map;
};

}  // namespace
}  // namespace skerry::test

namespace skerry {
template <>
inline constexpr bool kRelocatable<test::Boxed> = true;
}  // namespace skerry

namespace skerry::test {
namespace {

static_assert(kRelocatable<Plain> && kRelocatable<Pair> && kRelocatable<Vector<WithMap>>);
static_assert(!kRelocatable<WithMap> && !kRelocatable<Pinned> && !kRelocatable<Vector<Plain>*&>);

template <typename T>
bool Same(const Vector<T>& ours, const std::vector<T>& theirs) {
  if (ours.size() != theirs.size() || ours.capacity() < ours.size()) return false;
  for (size_t i = 0; i < theirs.size(); ++i) {
    if (!(ours[i] == theirs[i])) return false;
  }
  return true;
}

template <typename T>
void OneCall(Random* random, Vector<T>* ours, std::vector<T>* theirs) {
  const T value(static_cast<uint32_t>(random->Below(1000)));
  const size_t at = random->Below(theirs->size() + 1);
  const auto place = static_cast<ptrdiff_t>(at);
  switch (random->Below(16)) {
    case 0:
      ours->clear();
      return theirs->clear();
    case 1:
      ours->resize(at);
      return theirs->resize(at);
    case 2:
      ours->resize(at + 3, value);
      return theirs->resize(at + 3, value);
    case 3:
      ours->assign(at, value);
      return theirs->assign(at, value);
    case 4: {
      const T* const inserted = ours->insert(ours->begin() + place, value);
      CHECK(inserted == ours->begin() + place);
      theirs->insert(theirs->begin() + place, value);
      return;
    }
    case 5: {
      const Vector<T> more(3, value);
      ours->insert(ours->begin() + place, more.begin(), more.end());
      theirs->insert(theirs->begin() + place, more.begin(), more.end());
      return;
    }
    case 6: {
      const auto to = place + static_cast<ptrdiff_t>(random->Below(theirs->size() - at + 1));
      ours->erase(ours->begin() + place, ours->begin() + to);
      theirs->erase(theirs->begin() + place, theirs->begin() + to);
      return;
    }
    case 7: {
      CHECK(erase(*ours, value) == std::erase(*theirs, value));
      return;
    }
    case 8: {
      Vector<T> copy(*ours);
      ours->shrink_to_fit();
      CHECK(copy == *ours);
      *ours = std::move(copy);
      return;
    }
    case 9:
      ours->reserve(at * 2);
      return theirs->reserve(at * 2);
    case 10:
      if (theirs->empty()) return;
      ours->pop_back();
      return theirs->pop_back();
    case 11:  // an element of this vector, also while it grows
      if (at == theirs->size()) return;
      ours->push_back((*ours)[at]);
      return theirs->push_back((*theirs)[at]);
    case 12: {
      const Vector<T> copy(theirs->begin(), theirs->end());
      *ours = copy;
      return;
    }
    default:
      ours->push_back(value);
      return theirs->push_back(value);
  }
}

template <typename T>
void LikeStd(std::string_view seed) {
  Random random(seed);
  Vector<T> ours;
  std::vector<T> theirs;
  for (int i = 0; i < 3000; ++i) {
    OneCall(&random, &ours, &theirs);
    REQUIRE(Same(ours, theirs));
  }
}

TEST_CASE("behaves like std::vector") {
  LikeStd<uint32_t>("plain");
  LikeStd<Boxed>("boxed");
  LikeStd<Pinned>("pinned");
  CHECK(Pinned::live == 0);
}

template <typename T>
size_t Growths(void (*add)(Vector<T>*)) {
  Vector<T> vector;
  size_t growths = 0;
  for (size_t capacity = 0; vector.size() < 5000;) {
    add(&vector);
    if (vector.capacity() != capacity) ++growths;
    capacity = vector.capacity();
  }
  return growths;
}

TEST_CASE("moves a vector's elements only a few times while it grows one by one") {
  CHECK(Growths<uint32_t>([](Vector<uint32_t>* v) { v->push_back(1); }) < 20);
  CHECK(Growths<uint32_t>([](Vector<uint32_t>* v) { v->resize(v->size() + 1); }) < 20);
  CHECK(Growths<uint32_t>([](Vector<uint32_t>* v) { v->resize(v->size() + 1, 7); }) < 20);
  CHECK(Growths<Pinned>([](Vector<Pinned>* v) { v->resize(v->size() + 1); }) < 20);
  CHECK(Growths<Boxed>([](Vector<Boxed>* v) {
          const Vector<Boxed> more(1);
          v->insert(v->end(), more.begin(), more.end());
        }) < 20);
  // A new vector allocates exactly what it needs.
  CHECK(Vector<uint32_t>(Vector<uint32_t>(3)).capacity() == 3);
}

TEST_CASE("moves a vector with its elements; an element may replace its own vector") {
  Vector<Data> tree = {Data("a"), Data("b")};
  Vector<Data> taken = std::move(tree);
  CHECK(tree.empty());  // NOLINT(bugprone-use-after-move)
  REQUIRE(taken.size() == 2);
  CHECK(taken[1] == Data("b"));
  Vector<Vector<Data>> nested(1);
  nested[0] = taken;
  struct Node {
    Vector<Node> children;
  };
  Node root;
  root.children.resize(2);
  root.children[1].children.resize(3);
  root.children = std::move(root.children[1].children);
  CHECK(root.children.size() == 3);
}

}  // namespace
}  // namespace skerry::test
