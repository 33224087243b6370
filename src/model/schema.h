// Schema: tables and props as numbers. Built once from the description that js/api/schema.ts makes
// (docs/internals.md, section 2), shared by reference, immutable.
#ifndef SKERRY_MODEL_SCHEMA_H_
#define SKERRY_MODEL_SCHEMA_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/value.h"

namespace skerry {

using TableIndex = uint16_t;
using PropIndex = uint16_t;

// Columns that every row has; they can be filtered and ordered by, like props.
inline constexpr PropIndex kIdColumn = 0xfff0;
inline constexpr PropIndex kRealmColumn = 0xfff1;
inline constexpr PropIndex kCreatedAtColumn = 0xfff2;
inline constexpr PropIndex kModifiedAtColumn = 0xfff3;
inline constexpr uint16_t kNone = 0xffff;

enum class PropType : uint8_t {
  kString = 1,
  kNumber = 2,
  kBoolean = 3,
  kDate = 4,
  kBytes = 5,
  kEnum = 6,
  kRef = 7,
  kJson = 8,
  kClass = 9,
};
enum class OnDelete : uint8_t { kNothing = 0, kCascade = 1, kSetNull = 2, kRestrict = 3 };

struct PropDef {
  std::string name;
  PropType type = PropType::kString;
  bool optional = false;
  bool has_default = false;
  Value default_value;
  bool indexed = false;  // refs always are
  bool unique = false;
  std::string type_name;            // enum (may be empty) and class: the registered name
  Vector<std::string> enum_values;  // names
  uint32_t class_version = 1;
  TableIndex ref_table = kNone;
  OnDelete on_delete = OnDelete::kNothing;
  bool touch = false;
};

struct TableDef {
  std::string name;
  TableIndex index = 0;
  bool custom_ids = false;  // ids are strings of the application's own; else UUIDs
  bool autosubscribe = false;
  Vector<PropDef> props;
  PropIndex FindProp(std::string_view name) const;  // kNone if there is none; props only
  PropIndex FindColumn(
      std::string_view name) const;  // props, then id, realm, createdAt, modifiedAt
};

// A ref as seen from its target.
struct BackRef {
  TableIndex table = kNone;
  PropIndex prop = kNone;
};

class Schema {
 public:
  static Result<Schema> Parse(const Data& description);
  uint32_t version() const { return version_; }
  const Vector<uint32_t>& accepts() const { return accepts_; }
  const Vector<TableDef>& tables() const { return tables_; }
  const TableDef& table(TableIndex index) const { return tables_[index]; }
  TableIndex FindTable(std::string_view name) const;  // kNone if there is none
  const Vector<BackRef>& back_refs(TableIndex target) const { return back_refs_[target]; }
  // A digest of everything that decides the layout of rows: images say it, and are converted under
  // another.
  uint64_t fingerprint() const { return fingerprint_; }
  // What Parse took, by EncodeData: an image holds it, to be read under another schema.
  const std::string& description() const { return description_; }

 private:
  uint32_t version_ = 0;
  Vector<uint32_t> accepts_;
  Vector<TableDef> tables_;
  Vector<Vector<BackRef>> back_refs_;
  uint64_t fingerprint_ = 0;
  std::string description_;
};

// Checks that a value fits a prop (type, enum member, not null unless optional, text that databases
// can hold: no U+0000, valid UTF-8 without lone surrogates, finite numbers).
Status CheckValue(const TableDef& table, const PropDef& prop, const Value& value);
// What a row holds where nothing was said of a prop that may not be null: its default, else null.
const Value& AbsentValue(const PropDef& prop);
// A value that was written under another schema, as this prop can hold it: itself where it fits,
// else AbsentValue, and `left_out` is set.
Value FitValue(const TableDef& table, const PropDef& prop, Value value, bool* left_out);
// Ids: canonical lower-case UUID text, or for custom ids 1..128 bytes of storable UTF-8.
Status CheckId(const TableDef& table, std::string_view id);

// Value to and from its plain form in Data/JSON, by the prop's type: boolean, number, string as
// they are; date = ms as a number; enum = name; ref = id; bytes = Data bytes or base64 text; json =
// the JSON value itself (with $type envelopes inside, untouched); class = {"$type","v","version"}.
// ValueFromData also takes {"$type":"date"|"bytes","v":…} envelopes.
Result<Value> ValueFromData(const PropDef& prop, const Data& data);
Data ValueToData(const PropDef& prop, const Value& value, bool bytes_as_base64);

}  // namespace skerry

#endif  // SKERRY_MODEL_SCHEMA_H_
