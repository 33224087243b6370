// What a database holds as one tree, so that it can be changed like any other input:
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
// Rows without a key that IndexedDB would take are left out.
void PutSnapshot(const Data& snapshot, sync_test::FakeStorage* storage, Images* images);

// The mutations of `storage` that are as they were in `whole`: nobody has touched them.
Vector<Data> Untouched(const Data& whole, sync_test::FakeStorage* storage);
// Whether a mutation is pending, or in the inbox.
bool IsKept(sync_test::FakeStorage* storage, const Data& mutation);

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_SNAPSHOT_H_
