// Binary and JSON codecs of what is logged. Binary: bodies in IndexedDB. JSON: the wire
// (docs/protocol.md).
#ifndef SKERRY_LOG_CODEC_H_
#define SKERRY_LOG_CODEC_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/record.h"
#include "model/schema.h"

namespace skerry {

// Binary, versioned and checksummed; tables and props are written by name in a small header of the
// body, so that a body outlives a change of the schema: what the schema of today does not know, or
// cannot hold, is left out, and `left_out` set; a prop that may not be null, and is not there, gets
// its default. kCorrupt on damage, kVersion on a newer format.
std::string EncodeMutation(const Schema& schema, const Mutation& mutation);
Result<Mutation> DecodeMutation(const Schema& schema, std::string_view bytes,
                                bool* left_out = nullptr);
std::string EncodeSteps(const Schema& schema, const Vector<Step>& steps);
Result<Vector<Step>> DecodeSteps(const Schema& schema, std::string_view bytes,
                                 bool* left_out = nullptr);

// JSON of the wire, as Data. Grammars in op_json.cc, update_json.cc,
// mutation_json.cc, change_json.cc.
Data OpToData(const Schema& schema, const Op& op,
              size_t action_count);  // `by` left out where there is one action, or none
Result<Op> OpFromData(const Schema& schema, const Data& data, size_t action_count);
// Leaves out of an op that was logged under another schema what this one has no place for. False:
// it has none for the whole op.
bool TrimOp(const Schema& schema, Data* data);
Data UpdateToData(const Schema& schema, const Update& update);

// What is wrong with one op of an update; `status` names table and prop.
struct OpProblem {
  size_t op = 0;
  Status status;
};

// Checks all that can be checked without rows: limits, types, ids, names, text that no database can
// hold, and that `after` names every realm of the ops. A create must hold every required prop
// without a default; the authority fills in defaults. Where ops are wrong, `problems` (if given)
// names all of them and the status is that of the first, with its index; where the update as a
// whole is wrong, `problems` stays empty.
Result<Update> UpdateFromData(const Schema& schema, const Data& data,
                              Vector<OpProblem>* problems = nullptr);

// As an export holds mutations. What a server would refuse without looking at rows is refused.
Data MutationToData(const Schema& schema, const Mutation& mutation);
Result<Mutation> MutationFromData(const Schema& schema, const Data& data);

Data ChangeToData(const Schema& schema, const Change& change);
// `left_out` as in SetFromData (log/wire.h).
Result<Change> ChangeFromData(const Schema& schema, const Data& data, bool* left_out = nullptr);

}  // namespace skerry

#endif  // SKERRY_LOG_CODEC_H_
