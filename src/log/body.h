// Bodies: the sealed bytes of mutations and steps in IndexedDB. A body names the tables, props and
// realms that it uses once, at its beginning, so that it is small and outlives a change of the
// schema.
//
//   body     = version:u8 kind:u8 tables realms payload checksum:u64le
//   version  = %x01
//   kind     = %x01 mutation | %x02 steps
//   tables   = varint *(name:text varint *prop:text)   tables and their props, by first use
//   realms   = varint *text                            realms, by first use
//   checksum = XXH64 of everything before it
//   text     = varint-length, then as many bytes
//
// In the payload (grammars in mutation_codec.cc, steps_codec.cc, op_codec.h) tables, props and
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

inline constexpr uint8_t kBodyVersion = 1;
// Persisted: never renumber.
enum class BodyKind : uint8_t { kMutation = 1, kSteps = 2 };

class BodyWriter {
 public:
  explicit BodyWriter(const Schema& schema) : schema_(schema) {}
  std::string* payload() { return &payload_; }
  void PutTable(TableIndex table);
  void PutProp(TableIndex table, PropIndex prop);
  void PutRealm(std::string_view realm);
  void PutId(std::string_view id);
  // The whole body, with `front` before the payload. Call once.
  std::string Seal(BodyKind kind, std::string_view front = {}) const;

 private:
  struct Table {
    TableIndex index;
    Vector<PropIndex> props;
  };
  Table* UseTable(TableIndex table, uint64_t* place);

  const Schema& schema_;
  Vector<Table> tables_;
  Vector<std::string> realms_;
  std::string payload_;
};

// Reads what BodyWriter wrote, perhaps under another schema. After a wrong read status() is not ok,
// and every further read gives zeros: decoders check it once per record. What the schema of today
// does not know is kNone, and what it cannot hold is left out by the decoders, so that nothing
// unfit reaches a row; left_out() says of both.
class BodyReader {
 public:
  // Checks version, checksum and kind.
  static Result<BodyReader> Open(const Schema& schema, BodyKind kind, std::string_view bytes);
  Reader& in() { return in_; }
  const Schema& schema() const { return *schema_; }
  TableIndex TakeTable();  // kNone: unknown
  PropIndex TakeProp();    // of the table that was taken last; kNone: unknown
  std::string TakeRealm();
  std::string TakeId();
  Value TakeValue();
  std::string TakeText() { return std::string(in_.Text()); }
  // A count of things that take a byte each at least.
  uint64_t TakeCount();
  bool TakeFlag();
  bool ok() const { return !in_.failed(); }
  bool left_out() const { return left_out_; }
  bool* mutable_left_out() { return &left_out_; }
  // Ok where all has been read, and nothing more.
  Status Finish() const;

 private:
  BodyReader(const Schema& schema, std::string_view payload) : schema_(&schema), in_(payload) {}
  Status ReadNames();

  struct Table {
    TableIndex index;
    Vector<PropIndex> props;
  };
  const Schema* schema_;
  Reader in_;
  Vector<Table> tables_;
  size_t taken_ = 0;  // the table that was taken last
  Vector<std::string> realms_;
  bool left_out_ = false;
};

}  // namespace skerry

#endif  // SKERRY_LOG_BODY_H_
