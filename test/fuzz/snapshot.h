// The content of a database as one tree, so that it can be changed like any other input:
// {store: [[key, value]..], images: {generation: [bytes..]}}.
#ifndef SKERRY_TEST_FUZZ_SNAPSHOT_H_
#define SKERRY_TEST_FUZZ_SNAPSHOT_H_

#include <map>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/sync/fake_storage.h"

namespace skerry::fuzz {

using Images = std::map<std::string, Vector<std::string>>;

Data TakeSnapshot(sync_test::FakeStorage* storage, const Images& images);
// Leaves out records whose key IndexedDB would reject.
void PutSnapshot(const Data& snapshot, sync_test::FakeStorage* storage, Images* images);

// The rows [key, mutation] of `storage` that are the same as in `whole`: the mutator has not changed
// them.
Vector<Data> Untouched(const Data& whole, sync_test::FakeStorage* storage);
// Whether the mutation is pending or in the inbox.
bool IsKept(sync_test::FakeStorage* storage, const Data& mutation);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_SNAPSHOT_H_
