// The input of a transaction's operations (docs/window.md, section 3): reading it, and those checks
// that need no rows.
#ifndef SKERRY_CLIENT_TRANSACTION_INPUT_H_
#define SKERRY_CLIENT_TRANSACTION_INPUT_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// The operations of a transaction, in the calls of the window's module (docs/internals.md, section
// 7; js/core/window-core.ts). The numbers belong to that call alone: the log has its own kinds
// (OpKind, log/op.h), and one call may log ops of other kinds, or several ops.
enum class TxCall : uint8_t {
  kCreate = 1,
  kUpdate = 2,
  kInc = 3,
  kDelete = 4,
  kMove = 5,
  kUpsert = 7,  // 6 was never used
  kAppend = 8,  // to a stream: there is no table
};
// The call with this number; none if there is no such call.
std::optional<TxCall> TxCallOf(int number);

struct OpInput {
  std::string id;     // empty: none was given
  std::string realm;  // empty: none was given
  Vector<PropValue> set;
  // Props in `set` whose JSON has an envelope without content of its type.
  Vector<PropIndex> malformed;
  Vector<PropAdd> add;
};

Status CheckName(std::string_view what, std::string_view name, size_t limit);

// `operation`: [id|null, realm|null, {prop: plain}].
Status ReadOperation(TxCall call, const TableDef& table, const Data& operation, OpInput* input);

// A batch of creates is [[prop..], row..], row = [id|null, realm|null, plain..], so that each name
// is sent and looked up once. `props`: the result of FindProp for each of `names`.
Status ReadRow(const TableDef& table, const Data::Array& names, const Vector<PropIndex>& props,
               const Data& row, OpInput* input);

}  // namespace skerry

#endif  // SKERRY_CLIENT_TRANSACTION_INPUT_H_
