// The record of a mutation when it is first stored (log/mutation_record.h).
#ifndef SKERRY_CLIENT_MUTATION_RECORD_H_
#define SKERRY_CLIENT_MUTATION_RECORD_H_

#include "log/mutation_record.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

MutationRecord MakeMutationRecord(const Schema& schema, const Mutation& mutation);

}  // namespace skerry

#endif  // SKERRY_CLIENT_MUTATION_RECORD_H_
