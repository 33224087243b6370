// Reading of what others send: small checks that the JSON codecs of this room share. Each says in
// words what is wrong; callers put the place (op, table, prop) before it.
#ifndef SKERRY_LOG_WIRE_H_
#define SKERRY_LOG_WIRE_H_

#include <cstdint>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/string.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// Foreign text as it may stand in a detail: cut at 64 bytes, and not shown at all where it is no
// storable text.
String Quote(std::string_view text);

// "<place>: <detail>", with the code of `status`.
Status At(std::string_view place, const Status& status);

// Realms: 1 to 128 bytes of storable text.
Status CheckRealm(const Data& data);
// Action and stream names: 1 to 128 bytes of storable text.
Status CheckName(const Data& data);
// Ids of actions and updates: canonical UUIDs.
Status CheckUuid(const Data& data);
// A moment in ms: finite and within the years that JavaScript's Date knows.
Status CheckTime(const Data& data);
// A tree that may be stored as JSON and wrapped by a request: at most kMaxValueDepth deep, with
// finite numbers, and storable text in strings and keys.
Status CheckPlain(const Data& data);
// A whole number from 0 to 2^53.
bool ReadU64(const Data& data, uint64_t* out);

// {"prop": plain, …} to and from the sorted form. Null unsets: where `required` says so it is
// refused for props that may not be null. The whole is at most kMaxObjectBytes of JSON. With
// `left_out`, which comes from a server that may have another schema, what the table does not know
// is left out, a value that does not fit is AbsentValue, and both set it; else they are refused.
enum class Nulls { kChecked, kTaken };
Result<Vector<PropValue>> SetFromData(const TableDef& table, const Data& data, Nulls nulls,
                                      bool* left_out = nullptr);
Data SetToData(const TableDef& table, const Vector<PropValue>& set);

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_H_
