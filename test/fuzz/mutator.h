// Mutator: changes valid inputs so that they are wrong in the ways that reach the inside of a
// decoder: trees keep their shape but for one to four changes (a member gone, doubled, of another
// kind, at an extreme), bytes but for flipped, cut, doubled or inserted runs and lengths off by
// one. A checksum at the end of bytes is made right again afterwards, and text that was JSON stays
// JSON, mostly: else nothing behind the first check would ever be met. Everything comes from the
// seed.
#ifndef SKERRY_TEST_FUZZ_MUTATOR_H_
#define SKERRY_TEST_FUZZ_MUTATOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"

namespace skerry::fuzz {

// How an input is written down.
enum class Form : uint8_t {
  kBytes,  // whatever it is
  kData,   // a tree by EncodeData
  kJson,   // a tree as JSON text
};

class Mutator {
 public:
  explicit Mutator(uint64_t seed);

  // What may be put into other inputs: whole valid ones.
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
