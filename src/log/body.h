// Bodies: mutations and steps as bytes with a checksum, for IndexedDB. A body begins with the names
// of the tables, props and realms that it uses. So it is small, and can be read after a change of
// the schema. What a release has renamed has its oldest name, by which the releases before find it, too.
//
//   body     = version:u8 kind:u8 tables realms payload checksum:u64le
//   version  = %x01 | %x02                         2: it has ops that undo others (log/op_codec.h)
//   kind     = %x01 mutation | %x02 steps | %x03 actions of a stream | %x04 rows
//   tables   = varint *(name:text varint *prop:text)   tables and their props, by first use
//   realms   = varint *text                            realms, by first use
//   checksum = XXH64 of everything before it
//   text     = varint-length, then as many bytes
//
// In the payload (grammars in mutation_codec.cc, steps_codec.cc, op_codec.h, stream_action.h, rows_before.h) tables, props and
// realms are varint indexes into these lists.
#ifndef SKERRY_LOG_BODY_H_
#define SKERRY_LOG_BODY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

// The version that a body has unless it needs the second one, which an earlier release leaves alone.
inline constexpr uint8_t kBodyVersion = 1;
inline constexpr uint8_t kUndoBodyVersion = 2;
// Persisted: never renumber.
enum class BodyKind : uint8_t { kMutation = 1, kSteps = 2, kActions = 3, kRows = 4 };

class BodyWriter {
 public:
  explicit BodyWriter(const Schema& schema) : schema_(schema) {}
  std::string* payload() { return &payload_; }
  void PutTable(TableIndex table);
  void PutProp(TableIndex table, PropIndex prop);
  void PutRealm(std::string_view realm);
  void PutId(std::string_view id);
  void HasUndo() { version_ = kUndoBodyVersion; }
  // Returns the whole body, with `front` before the payload. Call once.
  std::string Finish(BodyKind kind, std::string_view front = {}) const;

 private:
  struct Table {
    TableIndex index;
    Vector<PropIndex> props;
  };
  Table* UseTable(TableIndex table, uint64_t* place);

  const Schema& schema_;
  uint8_t version_ = kBodyVersion;
  Vector<Table> tables_;
  Vector<std::string> realms_;
  std::string payload_;
};

// Reads what BodyWriter wrote, perhaps under another schema. After a failed read ok() is false, and
// every further read gives zeros, so decoders check once per record. Tables and props that the
// current schema does not know are kNone, and decoders leave out values that it cannot hold.
// left_out() is true if either happened, and why_left_out() names the first such place.
class BodyReader {
 public:
  // Checks version, checksum and kind.
  static Result<BodyReader> Open(const Schema& schema, BodyKind kind, std::string_view bytes);
  // The tables and props that the body names, as a schema that can read all of it
  // (UnfitPolicy::kAsItIs). Those that `schema` has are named as there.
  static Result<Schema> NamesOf(const Schema& schema, BodyKind kind, std::string_view bytes);
  Reader& in() { return in_; }
  const Schema& schema() const { return *schema_; }
  TableIndex TakeTable();  // kNone: unknown
  PropIndex TakeProp();    // of the table that was taken last; kNone: unknown
  std::string TakeRealm();
  std::string TakeId();
  Value TakeValue();
  std::string TakeText() { return std::string(in_.Text()); }
  // A count of items that take at least one byte each. Fails if it exceeds the remaining bytes.
  uint64_t TakeCount();
  bool TakeFlag();
  bool ok() const { return !in_.failed(); }
  bool left_out() const { return left_out_; }
  bool* mutable_left_out() { return &left_out_; }
  void LeaveOut(const Status& why);
  const Status& why_left_out() const { return why_left_out_; }
  // Ok if no read failed and all bytes have been read.
  Status Finish() const;

 private:
  BodyReader(const Schema& schema, std::string_view payload) : schema_(&schema), in_(payload) {}
  Status ReadNames();

  struct Table {
    std::string_view name;
    TableIndex index;
    Vector<PropIndex> props;
    Vector<std::string_view> names;  // of the props
  };
  const Schema* schema_;
  Reader in_;
  Vector<Table> tables_;
  size_t taken_ = 0;  // index of the table that was taken last
  Vector<std::string> realms_;
  bool left_out_ = false;
  Status why_left_out_;
};

}  // namespace skerry

#endif  // SKERRY_LOG_BODY_H_
