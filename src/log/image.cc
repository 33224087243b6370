// Images (log/image.h). Every format ends with the checksum of all before it.
//
//   image    = magic format:u32le head-bytes:u32le head sections checksum:u64le
//   magic    = "SKERRYIM"
//   format   = 2; 1 is read, too: it has no `description`
//   head     = fingerprint:u64le schema:varint n:varint varint *(realm:text cursor:text)
//              description:text                       of the schema: Schema::description
//   sections = varint *rows extras                    rows of each table, in the schema's order
//   rows     = bytes:u64le section                    model/row_store_image.cc
//   extras   = varint *(table:varint id:text row)     rows whose id another realm has, too
//   row      = realm:text createdAt:f64le modifiedAt:f64le revision:varint varint *value
//   value    = log/value_codec.h
//   checksum = XXH64 of everything before it
//   text     = varint-length, then as many bytes
//
// `body_bytes` of the header counts the sections. Tables and props need no names here: the
// description has them.
#include "log/image.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/limits.h"
#include "base/vector.h"
#include "log/convert.h"
#include "log/value_codec.h"
#include "log/wire.h"

namespace skerry {
namespace {

constexpr std::string_view kMagic = "SKERRYIM";
constexpr uint32_t kFormat = 2;
constexpr size_t kFixedBytes = 16;  // magic, format, head-bytes
constexpr size_t kChecksumBytes = 8;

Status Corrupt(const char* what) {
  return {Code::kCorrupt, std::string("a damaged image: ") + what};
}

void PutRow(const Row& row, std::string* out) {
  PutText(out, row.realm);
  PutF64(out, row.created_at);
  PutF64(out, row.modified_at);
  PutVarint(out, row.revision);
  PutVarint(out, row.props.size());
  for (const Value& value : row.props) PutValue(value, out);
}

Row TakeRow(const TableDef& table, Reader* in) {
  Row row;
  row.realm = std::string(in->Text());
  row.created_at = in->F64();
  row.modified_at = in->F64();
  row.revision = in->Varint();
  if (in->Varint() != table.props.size()) in->Fail();
  for (size_t i = 0; i < table.props.size() && !in->failed(); ++i)
    row.props.push_back(TakeValue(in));
  return row;
}

Status CheckRow(const TableDef& table, const std::string& id, const Row& row) {
  SKERRY_RETURN_IF_ERROR(CheckId(table, id));
  SKERRY_RETURN_IF_ERROR(CheckTime(Data(row.created_at)));
  SKERRY_RETURN_IF_ERROR(CheckTime(Data(row.modified_at)));
  for (size_t i = 0; i < table.props.size(); ++i) {
    if (row.props[i].is_null()) continue;
    SKERRY_RETURN_IF_ERROR(CheckValue(table, table.props[i], row.props[i]));
  }
  return Status::Ok();
}

struct Extra {
  ObjectKey key;
  Row row;
};

Status ReadExtras(const Schema& schema, Reader* in, Vector<Extra>* rows_in_second_realm) {
  const uint64_t count = in->Varint();
  for (uint64_t i = 0; i < count && !in->failed(); ++i) {
    const uint64_t table = in->Varint();
    if (table >= schema.tables().size()) return Corrupt("a table that does not exist");
    Extra extra;
    extra.key = {static_cast<TableIndex>(table), std::string(in->Text())};
    extra.row = TakeRow(schema.table(extra.key.table), in);
    if (in->failed() || !CheckRow(schema.table(extra.key.table), extra.key.id, extra.row).ok()) {
      return Corrupt("extra rows");
    }
    rows_in_second_realm->push_back(std::move(extra));
  }
  return in->AtEnd() ? Status::Ok() : Corrupt("extra rows");
}

// The sections of an image. All of them are found before the first one is passed to the sink.
struct Sections {
  Vector<std::string_view> rows;
  Vector<Extra> rows_in_second_realm;
};

Status ReadSections(const Schema& schema, std::string_view bytes, Sections* sections) {
  Reader in(bytes);
  if (in.Varint() != schema.tables().size()) return Corrupt("another number of tables");
  for (size_t i = 0; i < schema.tables().size(); ++i) {
    const uint64_t size = in.U64();
    if (in.failed() || size > in.remaining()) return Corrupt("rows cut off");
    sections->rows.push_back(in.Take(static_cast<size_t>(size)));
  }
  return ReadExtras(schema, &in, &sections->rows_in_second_realm);
}

Status CheckSum(std::string_view bytes) {
  if (bytes.size() < kFixedBytes + kChecksumBytes) return Corrupt("too short");
  const std::string_view sealed = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (Reader(bytes.substr(sealed.size())).U64() == Xxh64(sealed)) return Status::Ok();
  return Corrupt("checksum");
}

}  // namespace

std::string EncodeImage(const Base& base, uint64_t n,
                        const Vector<std::pair<std::string, std::string>>& cursors) {
  const Schema& schema = base.schema();
  std::string head;
  PutU64(&head, schema.fingerprint());
  PutVarint(&head, schema.version());
  PutVarint(&head, n);
  PutVarint(&head, cursors.size());
  for (const auto& [realm, cursor] : cursors) {
    PutText(&head, realm);
    PutText(&head, cursor);
  }
  PutText(&head, schema.description());
  std::string image(kMagic);
  PutU32(&image, kFormat);
  PutU32(&image, static_cast<uint32_t>(head.size()));
  image += head;
  PutVarint(&image, schema.tables().size());
  for (const TableDef& table : schema.tables()) {
    std::string rows;
    base.store(table.index).Save(&rows);
    PutU64(&image, rows.size());
    image += rows;
  }
  PutVarint(&image, base.rows_in_second_realm().size());
  for (const auto& [place, row] : base.rows_in_second_realm()) {
    PutVarint(&image, place.first.table);
    PutText(&image, place.first.id);
    PutRow(row, &image);
  }
  PutU64(&image, Xxh64(image));
  return image;
}

Result<ImageHeader> ReadImageHeader(std::string_view bytes) {
  if (bytes.size() < kFixedBytes + kChecksumBytes || bytes.substr(0, kMagic.size()) != kMagic) {
    return Corrupt("no image");
  }
  Reader in(bytes);
  in.Take(kMagic.size());
  ImageHeader header;
  header.format = in.U32();
  if (header.format == 0 || header.format > kFormat) {
    return Status(Code::kVersion, "an image of format " + std::to_string(header.format));
  }
  const uint64_t head_bytes = in.U32();
  const size_t rest = bytes.size() - kFixedBytes - kChecksumBytes;
  if (head_bytes > rest) return Corrupt("head");
  Reader head(in.Take(static_cast<size_t>(head_bytes)));
  header.schema_fingerprint = head.U64();
  header.schema_version = static_cast<uint32_t>(head.Varint());
  header.n = head.Varint();
  const uint64_t cursors = head.Varint();
  for (uint64_t i = 0; i < cursors && !head.failed(); ++i) {
    std::string realm(head.Text());
    header.cursors.emplace_back(std::move(realm), std::string(head.Text()));
  }
  if (header.format > 1) header.description = std::string(head.Text());
  if (!head.AtEnd()) return Corrupt("head");
  header.body_bytes = rest - head_bytes;
  return header;
}

void MoveRows(Base* rows, ImageSink* sink) {
  for (const TableDef& table : rows->schema().tables())
    sink->ImageStore(table.index)->TakeFrom(&rows->store(table.index));
  for (const auto& [place, row] : rows->rows_in_second_realm()) sink->ImageExtra(place.first, row);
}

namespace {

// Loads an image of another schema into a Base of that schema, and converts that.
Status LoadOther(const Schema& schema, const ImageHeader& header, SharedBytes image,
                 ImageSink* sink, bool* left_out) {
  if (header.description.empty())
    return Corrupt("it is of another schema, which it does not describe");
  const Result<Data> description = DecodeData(header.description);
  if (!description.ok()) return Corrupt("the description of its schema");
  const Result<Schema> other = Schema::Parse(description.value());
  if (!other.ok() || other.value().fingerprint() != header.schema_fingerprint)
    return Corrupt("the description of its schema");
  Base rows(&other.value());
  BaseSink into(&rows);
  SKERRY_RETURN_IF_ERROR(LoadImage(other.value(), std::move(image), &into));
  Base converted(&schema);
  bool lost = false;
  Convert(rows, &converted, left_out == nullptr ? &lost : left_out);
  MoveRows(&converted, sink);
  return Status::Ok();
}

}  // namespace

Status LoadImage(const Schema& schema, SharedBytes image, ImageSink* sink, bool* left_out) {
  const std::string_view bytes = image.view();
  // The checksum comes first: a damaged format field must give kCorrupt, not kVersion.
  SKERRY_RETURN_IF_ERROR(CheckSum(bytes));
  Result<ImageHeader> header = ReadImageHeader(bytes);
  if (!header.ok()) return header.status();
  if (header.value().schema_fingerprint != schema.fingerprint())
    return LoadOther(schema, header.value(), std::move(image), sink, left_out);
  const size_t body = static_cast<size_t>(header.value().body_bytes);
  Sections sections;
  SKERRY_RETURN_IF_ERROR(
      ReadSections(schema, bytes.substr(bytes.size() - kChecksumBytes - body, body), &sections));
  for (const TableDef& table : schema.tables()) {
    SKERRY_RETURN_IF_ERROR(sink->ImageStore(table.index)->Load(sections.rows[table.index], image));
  }
  for (const Extra& extra : sections.rows_in_second_realm) sink->ImageExtra(extra.key, extra.row);
  return Status::Ok();
}

Status LoadImage(std::string_view bytes, Base* base, bool* left_out) {
  Base loaded(&base->schema());
  BaseSink sink(&loaded);
  SKERRY_RETURN_IF_ERROR(LoadImage(base->schema(), SharedBytes(bytes), &sink, left_out));
  if (base->empty()) {
    base->Swap(&loaded);
    return Status::Ok();
  }
  Merge(loaded, base);
  return Status::Ok();
}

size_t ImageFileCount(size_t image_bytes) {
  return (image_bytes + kImageFileBytes - 1) / kImageFileBytes;
}

ImageFile ImageFileAt(size_t image_bytes, size_t index) {
  const size_t offset = index * kImageFileBytes;
  SKERRY_CHECK(offset < image_bytes);
  return {offset, std::min(kImageFileBytes, image_bytes - offset)};
}

std::string ImageChecksum(std::string_view bytes) { return Hex16(Xxh64(bytes)); }

}  // namespace skerry
