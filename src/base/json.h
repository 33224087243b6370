// JSON text to Data and back, with nlohmann/json's parser, without exceptions. No other unit of the
// core includes nlohmann.
#ifndef SKERRY_BASE_JSON_H_
#define SKERRY_BASE_JSON_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"

namespace skerry {

// Rejects text that is not UTF-8 or holds numbers out of range (kParse), and text that is nested
// deeper than kMaxJsonDepth (kLimit).
Result<Data> ParseJson(std::string_view text);

// Whether it is JSON text. Builds nothing.
bool IsJson(std::string_view text);

// Whether what JSON text holds is storable text (base/text.h): an escape may stand for U+0000, or
// for half of a surrogate pair. REQUIRES: JSON text.
bool IsStorableJson(std::string_view text);

// Canonical: members in their order, no white space, and the shortest text of each number that
// parses to the same number. Bytes become {"$type":"bytes","v":<base64>}. REQUIRES:
// IsFiniteTree(data).
std::string WriteJson(const Data& data);
void WriteJson(const Data& data, std::string* out);

// Whether all its numbers are finite: JSON has no NaN and no infinities.
bool IsFiniteTree(const Data& data);

// How deeply arrays and objects are nested in JSON text. Does not parse the text.
size_t JsonDepth(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_BASE_JSON_H_
