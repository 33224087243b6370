// Goal: an image gives base back as it was, and any damage is detected before a row is adopted.
// Method: round trips of random bases and of a realm of cities, of the size and shape that the
// demo has; every flipped byte and every truncation of a small image; images of another format and
// another schema.
#include "log/image.h"

#include <cmath>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/limits.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/value_codec.h"
#include "log/wire.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/row_map.h"

namespace skerry::test {
namespace {

using Cursors = Vector<std::pair<std::string, std::string>>;
const Cursors kCursors = {{"public", "57@1760000000123"}, {"team-1", "3@1760000000001"}};

void Fill(Random* random, size_t rows, Base* base) {
  OpMaker maker(random);
  for (size_t i = 0; i < rows; ++i) {
    const auto table = static_cast<TableIndex>(random->Below(4));
    const ObjectKey key{table, maker.AnyId(table, random->Below(2) == 0)};
    base->PutBase(key, maker.AnyRow(table, random->Below(2) == 0 ? "A" : "B"));
  }
}

TEST_CASE("round-trips bases through images, with ids that are in two realms") {
  size_t rows_in_second_realm = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    Random random(SeedText(seed));
    Base base(&LogSchema());
    Fill(&random, random.Below(40), &base);
    rows_in_second_realm += base.rows_in_second_realm().size();
    const std::string image = EncodeImage(base, seed, kCursors);
    const Result<ImageHeader> header = ReadImageHeader(image);
    REQUIRE(header.ok());
    CHECK(header.value().n == seed);
    CHECK(header.value().cursors == kCursors);
    CHECK(header.value().schema_version == 3);
    Base loaded(&LogSchema());
    const Status status = LoadImage(image, &loaded);
    REQUIRE_MESSAGE(status.ok(), status.detail());
    REQUIRE(AllRows(loaded) == AllRows(base));
    REQUIRE(EncodeImage(loaded, seed, kCursors).size() == image.size());
  }
  CHECK(rows_in_second_realm > 50);
}

TEST_CASE("adds one realm's image to a base that holds another, with shared ids") {
  Random random(SeedText(9));
  OpMaker maker(&random);
  Base first(&LogSchema());
  Base second(&LogSchema());
  for (uint32_t i = 0; i < 20; ++i) {
    first.PutBase({kCities, TestUuid(i)}, maker.AnyRow(kCities, "A"));
    second.PutBase({kCities, TestUuid(i + 10)}, maker.AnyRow(kCities, "B"));
  }
  auto expected = AllRows(first);
  for (const auto& [place, row] : AllRows(second)) expected[place] = row;
  REQUIRE(LoadImage(EncodeImage(second, 0, {}), &first).ok());
  CHECK(AllRows(first) == expected);
  CHECK(expected.size() == 40);
}

Row City(Random* random, uint32_t number) {
  static constexpr const char* kSyllables[] = {"ber",  "lin", "stock", "holm", "å",   "re", "mün",
                                               "chen", "to",  "kyo",   "São ", "Pau", "lo"};
  Row row;
  row.realm = "public";
  row.created_at = row.modified_at = 1.76e12;
  row.revision = 1;
  row.props.resize(LogSchema().table(kCities).props.size());
  std::string name;
  for (uint64_t i = 2 + random->Below(3); i > 0; --i)
    name += kSyllables[random->Below(std::size(kSyllables))];
  row.props[PropOf(kCities, "name")] = Value::String(name);
  row.props[PropOf(kCities, "population")] =
      Value::Number(std::floor(1000 / (0.0001 + random->Unit())));
  row.props[PropOf(kCities, "capital")] = Value::Bool(number % 500 == 0);
  row.props[PropOf(kCities, "size")] = Value::String(number % 3 == 0 ? "l" : "s");
  if (number % 7 == 0)
    row.props[PropOf(kCities, "info")] =
        Value::Json(R"({"elevation":)" + std::to_string(number) + "}");
  return row;
}

// Earlier releases had one row for each id in the stores, and the rows of other realms behind them.
TEST_CASE("places rows with application-defined ids, from an earlier release's image") {
  Random random(SeedText(11));
  OpMaker maker(&random);
  const Row in_a = maker.AnyRow(kTags, "A"), in_b = maker.AnyRow(kTags, "B");
  Base base(&LogSchema());
  base.PutBase({kTags, "theme"}, in_a);
  std::string image = EncodeImage(base, 1, kCursors);
  image.resize(image.size() - 9);  // the number of further rows, which is 0, and the checksum
  PutVarint(&image, 1);
  PutVarint(&image, kTags);
  PutText(&image, "theme");
  PutText(&image, "B");
  PutF64(&image, in_b.created_at);
  PutF64(&image, in_b.modified_at);
  PutVarint(&image, in_b.revision);
  PutVarint(&image, in_b.props.size());
  for (const Value& value : in_b.props) PutValue(value, &image);
  PutU64(&image, Xxh64(image));
  Base loaded(&LogSchema());
  const Status status = LoadImage(image, &loaded);
  REQUIRE_MESSAGE(status.ok(), status.detail());
  CHECK(loaded.GetBase("A", {kTags, "theme"}) == in_a);
  CHECK(loaded.GetBase("B", {kTags, "theme"}) == in_b);
  CHECK(loaded.rows_in_second_realm().empty());
  CHECK(loaded.store(kTags).size() == 2);
}

TEST_CASE("round-trips a realm of a hundred thousand cities in files of 4 MB") {
  Random random(SeedText(1));
  Base base(&LogSchema());
  for (uint32_t i = 0; i < 100'000; ++i) base.PutBase({kCities, TestUuid(i)}, City(&random, i));
  const std::string image = EncodeImage(base, 0, kCursors);
  std::string joined;
  REQUIRE(ImageFileCount(image.size()) >= 2);
  for (size_t i = 0; i < ImageFileCount(image.size()); ++i) {
    const ImageFile file = ImageFileAt(image.size(), i);
    CHECK(file.bytes <= kImageFileBytes);
    CHECK(file.offset == joined.size());
    joined += image.substr(file.offset, file.bytes);
  }
  CHECK(ImageChecksum(joined) == ImageChecksum(image));
  Base loaded(&LogSchema());
  REQUIRE(LoadImage(joined, &loaded).ok());
  CHECK(AllRows(loaded) == AllRows(base));
  CHECK(ImageFileCount(0) == 0);
  CHECK(ImageFileCount(kImageFileBytes) == 1);
  CHECK(ImageFileCount(kImageFileBytes + 1) == 2);
}

std::string SmallImage() {
  Random random(SeedText(2));
  Base base(&LogSchema());
  Fill(&random, 12, &base);
  return EncodeImage(base, 5, kCursors);
}

TEST_CASE("adopts an image's rows in place, in a copy of its own") {
  const std::string image = SmallImage();
  const std::string kept(image);
  Base first(&LogSchema());
  REQUIRE(LoadImage(image, &first).ok());
  const auto rows = AllRows(first);
  Base second(&LogSchema());
  BaseSink sink(&second);
  REQUIRE(LoadImage(LogSchema(), SharedBytes(image), &sink).ok());
  Random random(SeedText(9));
  Fill(&random, 40, &second);
  for (const auto& [id, realm] : second.BaseKeys(kCities))
    if (random.Below(2) == 0) second.EraseBase(realm, {kCities, id});
  CHECK(image == kept);
  CHECK(AllRows(first) == rows);
}

TEST_CASE("detects every flipped byte and truncation of an image, and adds no row of it") {
  const std::string image = SmallImage();
  Random random(SeedText(3));
  Base kept(&LogSchema());
  Fill(&random, 5, &kept);
  const auto before = AllRows(kept);
  for (size_t i = 0; i < image.size(); ++i) {
    std::string damaged = image;
    damaged.data()[i] = static_cast<char>(damaged[i] ^ (1u << (i % 8)));
    CAPTURE(i);
    const Status status = LoadImage(damaged, &kept);
    CHECK((status.code() == Code::kCorrupt || status.code() == Code::kVersion));
    // Only the four bytes of the format may look like a newer version.
    if (i < 8 || i >= 12) CHECK(status.code() == Code::kCorrupt);
  }
  for (size_t size = 0; size < image.size(); ++size) {
    CAPTURE(size);
    CHECK(LoadImage(image.substr(0, size), &kept).code() == Code::kCorrupt);
  }
  CHECK(LoadImage(image + image, &kept).code() == Code::kCorrupt);
  CHECK(AllRows(kept) == before);
}

// Damage that a checksum cannot detect: decoding a wrong image must stay within its bytes.
TEST_CASE("does no harm with damaged contents under a valid image checksum") {
  const std::string image = SmallImage();
  Random random(SeedText(4));
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = image.substr(0, image.size() - 8);
    damaged.data()[12 + random.Below(damaged.size() - 12)] = static_cast<char>(random.Below(256));
    const uint64_t checksum = Xxh64(damaged);
    damaged.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    Base base(&LogSchema());
    if (LoadImage(damaged, &base).ok()) {
      CHECK(AllRows(base).size() <= 12);
    } else {
      ++refused;
    }
  }
  CHECK(refused > 300);
}

TEST_CASE("rejects an image without a valid schema under another schema") {
  const Result<Schema> other = Schema::Parse(ParseJson(R"({"version":4,"tables":[
    {"name":"groups","ids":"uuid","props":[{"name":"title","type":"string"}]}]})")
                                                 .value());
  REQUIRE(other.ok());
  Base base(&other.value());
  std::string image = SmallImage();
  const size_t at = image.find("groups");
  REQUIRE(at != std::string::npos);
  image.data()[at] = 'G';
  image.resize(image.size() - 8);
  PutU64(&image, Xxh64(image));
  CHECK(LoadImage(image, &base).code() == Code::kCorrupt);
  CHECK(base.empty());
  Base same(&LogSchema());
  CHECK(LoadImage(image, &same).ok());  // the same schema is not checked
}

}  // namespace
}  // namespace skerry::test
