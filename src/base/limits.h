// Every limit of the core, in one place. DESIGN section 12 fixes those of the wire.
#ifndef SKERRY_BASE_LIMITS_H_
#define SKERRY_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace skerry {

inline constexpr size_t kMaxBodyBytes = 8u << 20;        // a request or an answer other than an image
inline constexpr size_t kMaxOpsPerUpdate = 10'000;
inline constexpr size_t kMaxObjectBytes = 1u << 20;      // one object's props, encoded as JSON
inline constexpr int kMaxJsonDepth = 64;
inline constexpr int kMaxDataDepth = 96;
inline constexpr size_t kMaxIdBytes = 128;               // custom object ids and realms
inline constexpr size_t kMaxNameBytes = 128;             // action and stream names
inline constexpr int kMaxFilterDepth = 8;
inline constexpr size_t kMaxOutboxUpdates = 4;           // grouped, not yet confirmed; more wait as mutations
inline constexpr size_t kMaxMutationsPerUpdate = 500;
inline constexpr size_t kMaxUpdateBytes = 1u << 20;      // grouping stops here; one larger mutation goes alone
inline constexpr int kMaxPullsInARow = 4;                // then a push has its turn
inline constexpr size_t kImageFileBytes = 4u << 20;      // IDBFS files of an image

}  // namespace skerry

#endif  // SKERRY_BASE_LIMITS_H_
