// Mutator: changes valid inputs so that their errors lie deep inside a decoder. A tree keeps its
// shape except for one to four changes (a member is removed, doubled, of another kind, or an
// extreme value). Bytes stay the same except for flipped, cut, doubled or inserted runs, and
// lengths off by one. Usually a checksum at the end of the bytes is corrected afterwards, and JSON
// text stays valid JSON: else the first check of a decoder would reject every input. All changes
// depend on the seed.
#ifndef SKERRY_TEST_FUZZ_MUTATOR_H_
#define SKERRY_TEST_FUZZ_MUTATOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"

namespace skerry::fuzz {

// The format of an input.
enum class Form : uint8_t {
  kBytes,  // any bytes
  kData,   // a tree by EncodeData
  kJson,   // a tree as JSON text
};

class Mutator {
 public:
  explicit Mutator(uint64_t seed);

  // Adds a valid input, whose parts may be put into other inputs.
  void Know(Form form, std::string_view input);

  std::string Mutate(Form form, std::string_view input);

  size_t Below(size_t limit) { return static_cast<size_t>(random_.Below(limit)); }

 private:
  bool Chance(size_t one_in) { return Below(one_in) == 0; }
  std::string Bytes(std::string_view bytes);
  void ChangeBytes(std::string* bytes);
  Data Tree(Data tree, bool json);
  void Change(Data* node, bool json);
  Data Extreme(bool json);
  Data Nested(bool json);
  Data Piece(bool json);
  double Number(bool json);
  std::string Text();

  Random random_;
  Vector<Data> trees_;
  Vector<std::string> texts_;
};

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_MUTATOR_H_
