// Checks of received JSON that the codecs in src/log share. Each returns a text that says what is
// wrong; the caller puts the place (op, table, prop) before it.
#ifndef SKERRY_LOG_WIRE_H_
#define SKERRY_LOG_WIRE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// Received text, made safe for a detail: cut at 64 bytes, and replaced completely if it is not
// storable text.
std::string QuoteForDetail(std::string_view text);

// "<place>: <detail>", with the code of `status`.
Status At(std::string_view place, const Status& status);

// What a schema does not have.
Status NoTable(std::string_view table);
Status NoProp(std::string_view table, std::string_view prop);

// Realms: 1 to 128 bytes of storable text.
Status CheckRealm(const Data& data);
// Action and stream names: 1 to 128 bytes of storable text.
Status CheckName(const Data& data);
// Ids of actions and updates: canonical UUIDs.
Status CheckUuid(const Data& data);
// A time in ms: finite, and within the range of JavaScript's Date.
Status CheckTime(const Data& data);
// A clock offset that was read, unless no time of this clock would be valid with it: then `otherwise`.
double ClockOffset(std::optional<double> read, double otherwise);
// A tree that can be stored as JSON and wrapped by a request: at most kMaxValueDepth deep, with
// finite numbers, and storable text in strings and keys.
Status CheckStorableTree(const Data& data);
// The envelopes {"$type":"date"|"bytes","v":…} in a tree hold a valid date, or base64. Only for new
// values: stored envelopes are not checked, and readers preserve those that they cannot decode.
Status CheckEnvelopes(const Data& data);
// The same for JSON text. It is parsed only if it contains an envelope.
Status CheckEnvelopesIn(std::string_view json);
// A whole number from 0 to 2^53.
bool ReadU64(const Data& data, uint64_t* out);

// Converts {"prop": plain, …} to and from the sorted form. Null clears a prop. kMade, for new
// values: rejects null for props that may not be null, and malformed envelopes. kStored: accepts
// both. The whole is at most kMaxObjectBytes of JSON. With `left_out`, for data from a server that
// may have another schema, unknown props are left out, a value that does not fit becomes
// DefaultOrNull, and either sets *left_out. Without it both are errors.
enum class Origin { kMade, kStored };
// Whether the prop can hold a value that a client of another schema has made.
bool HasPlaceFor(const TableDef& table, const PropDef& prop, const Data& data);
Result<Vector<PropValue>> SetFromData(const TableDef& table, const Data& data, Origin origin,
                                      bool* left_out = nullptr);
Data SetToData(const TableDef& table, const Vector<PropValue>& set);

}  // namespace skerry

#endif  // SKERRY_LOG_WIRE_H_
