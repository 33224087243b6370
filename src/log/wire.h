// Reading of what others send: small checks that the JSON codecs of this room share. Each says in
// words what is wrong; callers put the place (op, table, prop) before it.
#ifndef SKERRY_LOG_WIRE_H_
#define SKERRY_LOG_WIRE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// Foreign text as it may stand in a detail: cut at 64 bytes, and not shown at all where it is no
// storable text.
std::string Quote(std::string_view text);

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
// The envelopes {"$type":"date"|"bytes","v":…} in a tree that is being made hold a date, and
// base64. (Of what is stored nothing is refused: readers keep what they cannot decode as it is.)
Status CheckEnvelopes(const Data& data);
// The same of JSON text, which is parsed only where there is an envelope.
Status CheckEnvelopesIn(std::string_view json);
// A whole number from 0 to 2^53.
bool ReadU64(const Data& data, uint64_t* out);

// {"prop": plain, …} to and from the sorted form. Null unsets. In what is being made it is refused
// for props that may not be null, and so are envelopes that hold nothing; what is stored is taken
// as it is. The whole is at most kMaxObjectBytes of JSON. With `left_out`, which comes from a
// server that may have another schema, what the table does not know is left out, a value that does
// not fit is AbsentValue, and both set it; else they are refused.
enum class Origin { kMade, kStored };
Result<Vector<PropValue>> SetFromData(const TableDef& table, const Data& data, Origin origin,
                                      bool* left_out = nullptr);
Data SetToData(const TableDef& table, const Vector<PropValue>& set);

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_H_
