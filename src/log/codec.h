// Codecs of mutations, steps, updates and changes. Binary: for bodies in IndexedDB. JSON: for the
// wire (docs/protocol.md).
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

// Binary, with a version and a checksum. A body names its tables and props in a small header, so
// that it can be read after a change of the schema. If the current schema does not know or cannot
// hold something, that is left out, and `left_out` is set: of a mutation to the first such place. A
// missing prop that may not be null gets its default. kCorrupt on damage, kVersion on a newer
// format. (log/left_out.h has what was left out.)
std::string EncodeMutation(const Schema& schema, const Mutation& mutation);
Result<Mutation> DecodeMutation(const Schema& schema, std::string_view bytes,
                                Status* left_out = nullptr);
// Everything that a body holds, under a schema of the names in it (BodyReader::NamesOf), which
// becomes `*names`.
Result<Mutation> DecodeMutationAsItIs(const Schema& schema, std::string_view bytes, Schema* names);
std::string EncodeSteps(const Schema& schema, const Vector<Step>& steps);
Result<Vector<Step>> DecodeSteps(const Schema& schema, std::string_view bytes,
                                 bool* left_out = nullptr);

// JSON of the wire, as Data. The grammars are in op_json.cc, update_json.cc, mutation_json.cc and
// change_json.cc.
Data OpToData(const Schema& schema, const Op& op,
              size_t action_count);  // without `by` if there is at most one action
Result<Op> OpFromData(const Schema& schema, const Data& data, size_t action_count);
// Removes from an op of another schema all that this one cannot hold, and adds the names of the
// props to `removed`. False if nothing is left of it.
bool TrimOp(const Schema& schema, Data* data, Vector<std::string>* removed = nullptr);
Data UpdateToData(const Schema& schema, const Update& update);

// An error in one op of an update; `status` names table and prop.
struct OpProblem {
  size_t op = 0;
  Status status;
};

// Checks all that can be checked without rows: limits, types, ids, names, text that no database can
// hold, and that `after` names every realm of the ops. A create must hold every required prop
// without a default; the authority fills in defaults. If ops are wrong, `problems` (if given) lists
// all of them, and the status is that of the first, with its index. If the update as a whole is
// wrong, `problems` stays empty.
Result<Update> UpdateFromData(const Schema& schema, const Data& data,
                              Vector<OpProblem>* problems = nullptr);

// The form of mutations in an export. MutationFromData rejects what a server would reject without
// looking at rows.
Data MutationToData(const Schema& schema, const Mutation& mutation);
Result<Mutation> MutationFromData(const Schema& schema, const Data& data);

Data ChangeToData(const Schema& schema, const Change& change);
// `left_out` as in SetFromData (log/wire.h).
Result<Change> ChangeFromData(const Schema& schema, const Data& data, bool* left_out = nullptr);

}  // namespace skerry

#endif  // SKERRY_LOG_CODEC_H_
