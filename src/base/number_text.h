// Writes a number as text exactly as JavaScript's String(number) does. All parts of the system
// write numbers this way, so equal numbers have equal texts.
#ifndef SKERRY_BASE_NUMBER_TEXT_H_
#define SKERRY_BASE_NUMBER_TEXT_H_

#include <cstddef>

namespace skerry {

// The length of the longest text: "-0.0000012345678901234567".
inline constexpr size_t kNumberText = 25;

// Writes the shortest digits that read back as this very number, laid out by ECMA-262's
// Number::toString (section 6.1.6.1.20). Gives how many bytes it wrote, no terminator among them.
// In the modules of browsers JavaScript does it (wasm/numbers.cc). REQUIRES: a finite number.
size_t WriteNumberText(double number, char out[kNumberText]);

}  // namespace skerry

#endif  // SKERRY_BASE_NUMBER_TEXT_H_
