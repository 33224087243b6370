// Shared by the tests of src/client: a schema whose refs cascade, set null, restrict and touch,
// over few objects, so that they meet often; and NaiveView, which computes from scratch what a
// window must show.
#ifndef SKERRY_TEST_CORE_CLIENT_CLIENT_FIXTURE_H_
#define SKERRY_TEST_CORE_CLIENT_CLIENT_FIXTURE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"
#include "client/pending.h"
#include "client/transaction_input.h"
#include "client/view.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry::client_test {

// A transaction's operations, as numbers of the module's interface.
inline constexpr int kCreate = static_cast<int>(TxCall::kCreate);
inline constexpr int kUpdate = static_cast<int>(TxCall::kUpdate);
inline constexpr int kInc = static_cast<int>(TxCall::kInc);
inline constexpr int kDelete = static_cast<int>(TxCall::kDelete);
inline constexpr int kMove = static_cast<int>(TxCall::kMove);
inline constexpr int kUpsert = static_cast<int>(TxCall::kUpsert);

// Tables (those that say so have UUIDs, the others ids of the application's own):
//   groups  {name?, count: number = 0, owner?: ref people, setNull}
//   members {group?: ref groups, cascade, touch; person?: ref people, cascade; role?}
//   badges  {member?: ref members, cascade, touch; label?}
//   people  {name?, boss?: ref people, setNull, touch}
//   locks   {person?: ref people, restrict}
//   notes   {text: string, size: number = 7}   (UUIDs)
//   boards  {name?}                            (UUIDs)
//   cards   {board?: ref boards, cascade, touch; text?}   (UUIDs)
//   boardPins {board?: ref boards, cascade}
const Data& SchemaData();
const Schema& TestSchema();

inline constexpr TableIndex kGroupTable = 0;
inline constexpr TableIndex kMemberTable = 1;
inline constexpr TableIndex kBadgeTable = 2;
inline constexpr TableIndex kPersonTable = 3;
inline constexpr TableIndex kLockTable = 4;
inline constexpr TableIndex kNoteTable = 5;
inline constexpr TableIndex kBoardTable = 6;
inline constexpr TableIndex kCardTable = 7;
inline constexpr TableIndex kPinTable = 8;
inline constexpr TableIndex kHandleTable = 9;
inline constexpr TableIndex kFlagTable = 10;

PropIndex Prop(TableIndex table, std::string_view name);
std::string Seed(uint64_t seed);

// Rows, or ops, by literal values: {{"name", "x"}}.
using Sets = Vector<std::pair<std::string, Data>>;
Vector<PropValue> Props(TableIndex table, const Sets& sets);
Row MakeRow(TableIndex table, const Sets& sets, double modified_at = 1, std::string realm = "A");
Op MakeOp(OpKind kind, TableIndex table, std::string id, const Sets& sets = {},
          std::string realm = "A", std::string to = "");
Step CreateStep(TableIndex table, const std::string& id, const Row& row);
std::unique_ptr<Pending> MakePending(std::string id, uint64_t key, double at, Vector<Op> ops);

// Base, pending mutations, and the definition of view.h applied literally, without any index or
// state.
class NaiveView {
 public:
  std::map<ObjectKey, std::map<std::string, Row>> base;
  Vector<const Pending*> pending;  // in order

  std::map<ObjectKey, Row> Visible() const;
};

std::map<ObjectKey, Row> Shown(const View& view);
// Describes the first difference; empty: there is none.
std::string Difference(const std::map<ObjectKey, Row>& want, const std::map<ObjectKey, Row>& is);

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_CLIENT_FIXTURE_H_
