// LeftOut: what of a stored mutation has no place: the present schema lacks a table or prop that it
// names, or cannot hold a value of it. What is left out of a mutation of the user's goes to the
// inbox with its content, and never out of the device in silence (docs/schema-changes.md).
//
// The rest of the mutation is what DecodeMutation returns.
#ifndef SKERRY_LOG_LEFT_OUT_H_
#define SKERRY_LOG_LEFT_OUT_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/data.h"
#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/sync_record.h"
#include "model/schema.h"

namespace skerry {

// What was left out of one object, as ops that make it again where there is a place for it. Values
// of a create that is made without them are an update: the object is there then.
struct LeftOutPart {
  std::string table;
  std::string id;
  std::string realm;
  std::string detail;     // names the tables and props, and why they are no place for it
  Data mine;              // {prop: value}; null: the object was deleted
  std::string body;       // of EncodeMutation, with the mutation's action and these ops alone
  bool is_whole = false;  // the whole mutation, of which the log has nothing
};

// Chooses what is left out of an op. `names`: the schema of the body (DecodeMutationAsItIs).
// Returns whether anything is: then `part` is the op with that alone.
using ChooseLeftOut = bool (*)(const void* self, const Schema& names, const Op& op, Op* part,
                               Vector<Status>* why);

// In the order of their first ops. Empty: nothing is left out, or only what is not the user's: a
// default that the client has filled in (`defaults`), and rows that are offered to a server that was
// restored. kCorrupt, kVersion: as DecodeMutation.
// `shown`: the schema of `mine` (ShownOps), by which an object is one wherever it has moved. Without
// it, there is a part for each realm.
Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, std::string_view body,
                                        const OldDefaults& defaults, const void* self,
                                        ChooseLeftOut choose, const Schema* shown);

// What `schema` has no place for.
Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, std::string_view body,
                                        const OldDefaults& defaults);

// What a server of another release had no place for, by its answer: the props of each object, by
// ObjectName, in the names of `schema`. None: all of it.
using ServerLeftOut = Map<std::string, std::optional<Vector<std::string>>>;
std::string ObjectName(const std::string& table, const std::string& id, const std::string& realm);
Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, const ServerLeftOut& items,
                                        std::string_view body, const OldDefaults& defaults);

// Whether objects of the table have ids that are theirs in all realms, so that they can move.
bool MayMove(const Schema& schema, const std::string& table);
// By this name an object is one wherever it has moved.
std::string ObjectName(const Schema& schema, const std::string& table, const std::string& id,
                       const std::string& realm);

// All ops on these objects, by ObjectName of the schema: nothing came of them at the server.
Result<Vector<LeftOutPart>> FindOpsOn(const Schema& schema, const Set<std::string>& objects,
                                      std::string_view body);

// A value in a form that can be read without knowing its prop: a date is an envelope.
Data ValueAsItIs(const Value& value);
// A value as the inbox shows it: plain if `schema` has the prop, else as it is.
Data ShownValue(const Schema& schema, const std::string& table, const std::string& prop,
                const Value& value);
// What the ops set, and what they add to it, as the inbox shows it; null: the last one deletes.
// `names`: the schema of the ops. None as `schema`: all values are as they are. `base`: {prop: value} to
// which numbers are added.
Data ShownOps(const Schema& names, const Vector<Op>& ops, const Schema* schema,
              const Data& base = {});

}  // namespace skerry

#endif  // SKERRY_LOG_LEFT_OUT_H_
