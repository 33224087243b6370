// Every limit of the core, in one place. docs/design.md, "Limits of the wire", explains the most
// important ones. A comment behind a constant says what is counted.
#ifndef SKERRY_BASE_LIMITS_H_
#define SKERRY_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace skerry {

// Requests, answers, and what an update may hold.
inline constexpr size_t kMaxBodyBytes = 8u << 20;  // a request, or an answer other than an image
inline constexpr size_t kMaxOpsPerUpdate = 10'000;
inline constexpr size_t kMaxRealmsPerUpdate = 100;    // each is locked, and its log gains an entry
inline constexpr size_t kMaxActionsPerUpdate = 1000;  // each is looked up in every realm
// Bytes of an update's actions times its number of realms: the log entry of every realm holds all
// actions.
inline constexpr size_t kMaxActionBytesTimesRealms = 16u << 20;
inline constexpr size_t kMaxObjectBytes = 1u << 20;    // one object's props, or one append, as JSON
inline constexpr size_t kMaxAppendBytes = 2u << 20;    // of one update: an answer holds all of them
inline constexpr size_t kAppendOverheadBytes = 512;    // what an append has beside its argument
inline constexpr size_t kMaxMutationBytes = 4u << 20;  // encoded, its argument included
// What a mutation changed from, stored beside it: rows are kept whole up to the first limit, and
// nothing is above the second (client/changed_rows.h). Estimates.
inline constexpr size_t kMaxWholeRowsBytes = 16u << 10;
inline constexpr size_t kMaxRowsBeforeBytes = 256u << 10;
// What a window can undo; the second is an estimate.
inline constexpr size_t kMaxUndoSteps = 100;
inline constexpr size_t kMaxUndoBytes = 16u << 20;
inline constexpr size_t kMaxUndoTextBytes = 1u << 20;  // of it, over a reload of the page
// Of a request, beside its one mutation.
inline constexpr size_t kMaxRequestOverheadBytes = 256u << 10;

// Depths and sizes of values.
inline constexpr int kMaxJsonDepth = 64;
// One JSON value or argument: a request wraps it.
inline constexpr int kMaxValueDepth = kMaxJsonDepth - 8;
// A value of an application's class: the core wraps it when it writes it into an argument.
inline constexpr size_t kMaxClassValueDepth = kMaxValueDepth - 4;
inline constexpr int kMaxDataDepth = 96;
inline constexpr double kMaxTimeMs = 8.64e15;  // of a Date in JavaScript (ECMA-262, Time Values)
// The first time that PostgreSQL can hold: 24 November 4714 BC.
inline constexpr double kFirstDateMs = -210'866'803'200'000;
inline constexpr size_t kMaxBroadcastBytes = 256u << 10;  // a record from a window with no remote
inline constexpr size_t kMaxIdBytes = 128;  // an application's own object ids, and realms
// A user's name: the id of a membership is `<realm>/<user>`, and a founded realm is a UUID.
inline constexpr size_t kMaxUserBytes = kMaxIdBytes - 36 - 1;
inline constexpr size_t kMaxNameBytes = 128;  // names of actions and streams

// The sync worker.
inline constexpr size_t kMaxOutboxUpdates = 4;  // not confirmed yet; more wait as mutations
inline constexpr size_t kMaxMutationsPerUpdate = 500;
inline constexpr size_t kMaxUpdateBytes = 1u << 20;  // a larger mutation is grouped alone
inline constexpr int kMaxPullsInARow = 4;            // before a push gets its turn
inline constexpr double kMaxRetryAfterMs = 600'000;  // the longest `retry-after` that is obeyed
inline constexpr size_t kImageFileBytes = 4u << 20;  // files of an image in IDBFS
// One part of an image. A part with a larger stated size is rejected.
inline constexpr size_t kMaxImageBytes = 1u << 30;

// One mutation of an import or an adoption: less than an update holds, so that grouping has room, and
// a window's group commits stay short.
inline constexpr size_t kMaxCreates = 500;
inline constexpr size_t kMaxCreateBytes = 256u << 10;  // of its ops, as JSON
inline constexpr size_t kMaxCreateRealms = kMaxRealmsPerUpdate / 2;

// The authority: limits of a chain, of an admission, of an update.
inline constexpr size_t kMaxRefusalsInARow = 1000;       // of one chain; then `forked`
inline constexpr size_t kMaxRefusedBytes = 1u << 20;     // of those answers, which share one row
inline constexpr size_t kMaxRejectionBytes = 64u << 10;  // of one; above it reasons are merged
// Updates of a client in a realm of which it has not said that it knows their outcome: of more than
// these, the outcome of the older ones is forgotten with the log.
inline constexpr uint64_t kMaxUnconfirmedUpdates = 1000;
// The rules of the application are asked about so many actions at once, and about so many bytes.
inline constexpr size_t kMaxRuleQuestions = 100;
inline constexpr size_t kMaxRuleQuestionBytes = size_t{1} << 20;
inline constexpr int kMaxAdmissionRounds = 256;  // requests for more rows in one admission
inline constexpr int kMaxLookAheadRounds = 8;  // first rounds that also ask ahead for later updates
inline constexpr size_t kMaxAdmissionWork = 400'000;  // ops and rows, over all rounds of one update
inline constexpr size_t kMaxRowsPerUpdate = 120'000;  // changed by one update, cascades included
inline constexpr size_t kMaxPriorRowBytes = 64u << 20;  // of rows as they were before one update
// Once a commit has read so many, its remaining updates wait for the next commit.
inline constexpr size_t kMaxBeforeBytesPerCommit = 4u << 20;

// Pulls.
inline constexpr size_t kMaxPullEntries = 10'000;     // of one realm, in one answer
inline constexpr size_t kPageRows = 2000;             // on one page of an initial sync
inline constexpr size_t kPagesPerAnswer = 50;         // each scans a table
inline constexpr size_t kMaxChangedObjects = 10'000;  // validated one by one; at more, all rows are
inline constexpr size_t kMaxOwnChanges = 1000;  // confirmed ones that are kept (sync/own_changes.h)
inline constexpr size_t kMaxOwnOfPull = 256;    // the last ones that one pull confirms
inline constexpr size_t kMaxOwnBytes = 16 << 10;  // of one of them: a larger one is not kept
inline constexpr double kOwnDays = 30;            // as long as a server keeps its log by default
inline constexpr size_t kMaxInboxChanges = 100;   // objects of an entry of the inbox that are shown
inline constexpr size_t kMaxScopes = 1000;        // of one pull
inline constexpr size_t kMaxKeptScopes = 500;     // of one client: half of what a pull may name
inline constexpr size_t kMaxCursors = 10'000;     // of one pull; also the limit of ids in `have`
inline constexpr size_t kMaxOldDefaultBytes = 256;    // of a default that is noted
inline constexpr size_t kMaxKnownAsked = 500;         // ids of `known` of one pull
inline constexpr size_t kMaxStreamScopes = 100;       // streams and prefixes of one pull
inline constexpr size_t kMaxStreamPlaces = 100'000;   // realms of all of them
inline constexpr size_t kMaxStreamReads = 100;        // in one answer: a stream of a realm each
inline constexpr size_t kMaxStateBytes = 32u << 20;   // of a snapshot, as JSON text
inline constexpr size_t kMaxLastActions = 10'000;     // with which a stream may begin
inline constexpr size_t kMaxRowsWithoutImage = 2000;  // a realm with more rows is sent as an image
inline constexpr size_t kMaxWholeRealmRows = 20'000;  // of a realm whose full state fits one answer

// Comparing: parts and rows of one request, rows of a part that are named one by one at once, and
// bytes of what an answer has to change; a row counts for so many more (estimates).
inline constexpr size_t kMaxDiffParts = 200;
inline constexpr size_t kMaxDiffRows = 20'000;
inline constexpr size_t kMaxDiffListed = 4'000;
inline constexpr size_t kMaxDiffAnswerBytes = 2u << 20;
inline constexpr size_t kDiffRowBytes = 200;

// Filters. A cost is how many comparisons one row may take (model/filter_cost.h): for the filter of
// one scope, for all scopes of a pull or of a client, and for the scopes whose pages are in one
// answer. An answer tests up to kMaxWholeRealmRows rows against all scopes. A page may test all
// rows of a table.
inline constexpr int kMaxFilterDepth = 8;
inline constexpr uint64_t kMaxFilterCost = 1000;
inline constexpr uint64_t kMaxScopesCost = 4000;
inline constexpr uint64_t kMaxPagesCost = kMaxFilterCost;
inline constexpr size_t kMaxScopesValues = 10'000;    // in the lists of all scopes' filters
inline constexpr size_t kMaxPatternCharacters = 200;  // of `like`: bounds a database's work
inline constexpr size_t kMaxPatternWildcards = 32;    // % and _ of one pattern

}  // namespace skerry

#endif  // SKERRY_BASE_LIMITS_H_
