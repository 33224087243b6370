// The record of a mutation in the store `mutations` (docs/internals.md, section 3).
#ifndef SKERRY_CLIENT_MUTATION_RECORD_H_
#define SKERRY_CLIENT_MUTATION_RECORD_H_

#include "base/data.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

Data MutationRecord(const Schema& schema, const Mutation& mutation);

}  // namespace skerry

#endif  // SKERRY_CLIENT_MUTATION_RECORD_H_
