// JSON text to Data and back (nlohmann/json's lexer, without exceptions). The only unit of the core
// that includes nlohmann.
#ifndef SKERRY_BASE_JSON_H_
#define SKERRY_BASE_JSON_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"

namespace skerry {

// Refuses text that is not UTF-8, deeper than kMaxJsonDepth, or that holds numbers out of range.
// kParse or kLimit.
Result<Data> ParseJson(std::string_view text);

// Canonical: members in their order, no white space, shortest numbers that round-trip; NaN and
// infinities are a broken invariant (values are checked on entry). Bytes become
// {"$type":"bytes","v":<base64>}.
std::string WriteJson(const Data& data);
void WriteJson(const Data& data, std::string* out);

// Whether every number of it is one that WriteJson can write.
bool IsFiniteTree(const Data& data);

// How deep lists and objects are nested in JSON text, without parsing it.
size_t JsonDepth(std::string_view text);

}  // namespace skerry

#endif  // SKERRY_BASE_JSON_H_
