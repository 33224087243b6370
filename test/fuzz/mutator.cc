#include "test/fuzz/mutator.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/json.h"

namespace skerry::fuzz {
namespace {

constexpr size_t kChecksumBytes = 8;
constexpr size_t kMostBytes = 1u << 20;  // bounds the growth of an input
constexpr size_t kMostTrees = 64;

const double kNumbers[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.5,
                           2,
                           127,
                           128,
                           255,
                           256,
                           65535,
                           65536,
                           2147483647,
                           2147483648,
                           4294967295,
                           4294967296,
                           9007199254740991,
                           9007199254740992,
                           -9007199254740992,
                           8.64e15,
                           -8.64e15,
                           8.7e15,
                           1e20,
                           1e308,
                           -1e308,
                           5e-324};

constexpr std::string_view kTexts[] = {"",
                                       "\0",
                                       "a\0b",
                                       "sync",
                                       "items",
                                       "0@0",
                                       "1@1",
                                       "9007199254740992@1",
                                       "@",
                                       "-1@-1",
                                       "local",
                                       "pending",
                                       "new",
                                       "sent",
                                       "received",
                                       "applied",
                                       "rejected",
                                       "forked",
                                       "held",
                                       "duplicate",
                                       "unknown_client",
                                       "create",
                                       "delete",
                                       "$type",
                                       "id",
                                       "true",
                                       "00000000-0000-7000-8000-000000000001",
                                       "\xff",
                                       "\xed\xa0\x80",
                                       "\xf0\x9f\x98\x80",
                                       "%%%%_%_%"};

bool IsSealed(std::string_view bytes) {
  if (bytes.size() <= kChecksumBytes) return false;
  const std::string_view front = bytes.substr(0, bytes.size() - kChecksumBytes);
  return Reader(bytes.substr(front.size())).U64() == Xxh64(front);
}

void Collect(Data* node, Vector<Data*>* nodes) {
  nodes->push_back(node);
  if (node->is_array()) {
    for (Data& item : node->mutable_items()) Collect(&item, nodes);
  } else if (node->is_object()) {
    for (auto& [name, value] : node->mutable_members()) Collect(&value, nodes);
  }
}

}  // namespace

Mutator::Mutator(uint64_t seed) : random_("fuzz " + std::to_string(seed)) {}

void Mutator::Know(Form form, std::string_view input) {
  texts_.emplace_back(input);
  if (trees_.size() >= kMostTrees || form == Form::kBytes) return;
  Result<Data> tree = form == Form::kJson ? ParseJson(input) : DecodeData(input);
  if (tree.ok()) trees_.push_back(std::move(tree.value()));
}

std::string Mutator::Mutate(Form form, std::string_view input) {
  if (form == Form::kBytes || Chance(12)) return Bytes(input);
  const bool json = form == Form::kJson;
  Result<Data> tree = json ? ParseJson(input) : DecodeData(input);
  if (!tree.ok()) return Bytes(input);
  const Data changed = Tree(std::move(tree.value()), json);
  return json ? WriteJson(changed) : EncodeData(changed);
}

// Usually bytes with a checksum keep a valid one, and JSON text stays valid JSON.
std::string Mutator::Bytes(std::string_view bytes) {
  if (!bytes.empty() && (bytes[0] == '{' || bytes[0] == '[') && !Chance(6)) {
    Result<Data> tree = ParseJson(bytes);
    if (tree.ok()) return WriteJson(Tree(std::move(tree.value()), true));
  }
  const bool reseal = IsSealed(bytes) && !Chance(10);
  std::string changed(reseal ? bytes.substr(0, bytes.size() - kChecksumBytes) : bytes);
  for (size_t i = 1 + Below(3); i > 0; --i) ChangeBytes(&changed);
  if (reseal) PutU64(&changed, Xxh64(changed));
  return changed;
}

void Mutator::ChangeBytes(std::string* bytes) {
  const size_t size = bytes->size();
  if (size == 0) {
    bytes->append(Text());
    return;
  }
  const size_t at = Below(size);
  const size_t run = std::min(size - at, 1 + Below(Chance(4) ? 64 : 8));
  char* byte = bytes->data() + at;
  const std::string tail(std::string_view(*bytes).substr(at));
  switch (Below(9)) {
    case 0:
      *byte = static_cast<char>(*byte ^ (1 << Below(8)));
      return;
    case 1:  // a length off by one, or the next kind
      *byte = static_cast<char>(*byte + (Chance(2) ? 1 : -1));
      return;
    case 2:
      *byte = static_cast<char>(Below(256));
      return;
    case 3:  // numbers of four or eight bytes, and long varints
      for (size_t i = 0; i < run; ++i) byte[i] = static_cast<char>(0xff);
      return;
    case 4:
      for (size_t i = 0; i < run; ++i) byte[i] = 0;
      return;
    case 5:
      bytes->resize(at);
      return;
    case 6:  // a run is left out
      bytes->resize(at);
      bytes->append(std::string_view(tail).substr(run));
      return;
    case 7:  // a run is doubled
      if (size > kMostBytes) return;
      bytes->resize(at + run);
      bytes->append(tail);
      return;
    default: {  // a run of another input
      if (texts_.empty() || size > kMostBytes) return;
      const std::string_view other = texts_[Below(texts_.size())];
      if (other.empty()) return;
      const size_t from = Below(other.size());
      bytes->resize(at);
      bytes->append(other.substr(from, 1 + Below(64)));
      if (Chance(2)) bytes->append(tail);
    }
  }
}

Data Mutator::Tree(Data tree, bool json) {
  const size_t changes = Chance(2) ? 1 : 1 + Below(4);
  for (size_t i = 0; i < changes; ++i) {
    Vector<Data*> nodes;
    Collect(&tree, &nodes);
    Change(nodes[Below(nodes.size())], json);
  }
  return tree;
}

void Mutator::Change(Data* node, bool json) {
  const size_t size = node->items().size() + node->members().size();
  const bool array = node->is_array();
  if (size > 0 && !Chance(4)) {
    const size_t at = Below(size);
    const auto place = static_cast<ptrdiff_t>(at);
    const size_t which = Below(5);
    if (which == 0) {
      if (array) node->mutable_items().erase(node->mutable_items().begin() + place);
      if (!array) node->mutable_members().erase(node->mutable_members().begin() + place);
    } else if (which == 1) {
      if (array) node->Push(Data(node->items()[at]));
      if (!array)
        node->Set(Chance(2) ? Text() : node->members()[at].first + "x",
                  Data(node->members()[at].second));
    } else if (which == 2) {
      const size_t other = Below(size);
      if (array) {
        std::swap(node->mutable_items()[at], node->mutable_items()[other]);
      } else {
        std::swap(node->mutable_members()[at].second, node->mutable_members()[other].second);
      }
    } else if (which == 3) {
      if (array) node->Push(Piece(json));
      if (!array) node->Set(node->members()[at].first, Piece(json));
    } else {
      Change(array ? &node->mutable_items()[at] : &node->mutable_members()[at].second, json);
    }
    return;
  }
  if (node->is_number() && !Chance(4)) {
    const double is = node->as_number();
    const double near[] = {is + 1, is - 1, -is, is * 2, is + 0.5, Number(json)};
    const double next = near[Below(std::size(near))];
    *node = json && !std::isfinite(next) ? 0 : next;
  } else if (node->is_string() && !Chance(4)) {
    std::string text = node->as_string();
    if (Chance(2)) {
      text = Text();
    } else {
      ChangeBytes(&text);
    }
    *node = std::move(text);
  } else if (node->is_bytes() && !Chance(6)) {
    *node = Data::Bytes(Bytes(node->as_bytes()));
  } else {
    *node = Extreme(json);
  }
}

double Mutator::Number(bool json) {
  if (!json && Chance(6)) {
    return Chance(2) ? std::numeric_limits<double>::quiet_NaN()
                     : std::numeric_limits<double>::infinity();
  }
  return kNumbers[Below(std::size(kNumbers))];
}

std::string Mutator::Text() {
  if (Chance(12)) return std::string(100 + Below(300), 'x');
  return std::string(kTexts[Below(std::size(kTexts))]);
}

Data Mutator::Nested(bool json) {
  Data nested = Extreme(json);
  for (size_t depth = Below(120); depth > 0; --depth) {
    Data outer = Chance(2) ? Data::MakeArray() : Data::MakeObject();
    if (outer.is_array()) outer.Push(std::move(nested));
    if (outer.is_object()) outer.Set("id", std::move(nested));
    nested = std::move(outer);
  }
  return nested;
}

Data Mutator::Extreme(bool json) {
  switch (Below(9)) {
    case 0:
      return nullptr;
    case 1:
      return Chance(2);
    case 2:
    case 3:
      return Number(json);
    case 4:
      return Text();
    case 5:
      return Data::MakeArray();
    case 6:
      return Data::MakeObject();
    case 7:
      return Chance(4) ? Nested(json) : Piece(json);
    default:
      return json ? Data(Text()) : Data::Bytes(Text());
  }
}

// A random part of a random known input.
Data Mutator::Piece(bool json) {
  if (trees_.empty()) return Number(json);
  Data* tree = &trees_[Below(trees_.size())];
  Vector<Data*> nodes;
  Collect(tree, &nodes);
  return *nodes[Below(nodes.size())];
}

}  // namespace skerry::fuzz
