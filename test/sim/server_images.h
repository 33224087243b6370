// ServerImages: the images of whole realms that the server offers for an initial sync, made by the
// production's ImageMaker. It offers the newest one until that is too old.
#ifndef SKERRY_TEST_SIM_SERVER_IMAGES_H_
#define SKERRY_TEST_SIM_SERVER_IMAGES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/data.h"
#include "model/schema.h"

namespace skerry::sim {

class Database;

class ServerImages {
 public:
  explicit ServerImages(uint64_t rows) : rows_(rows) {}

  uint64_t rows() const { return rows_; }  // the number of rows that every realm pretends to have
  // An element of `images` (docs/authority.md, section 4).
  Data Offer(const Data& need, const Schema& schema, const Database& database);
  const std::string* Find(const std::string& url) const;  // null: never made, or deleted
  static std::string RealmOf(const std::string& url);
  void Clear();

 private:
  uint64_t rows_;
  std::map<std::pair<std::string, const Schema*>, Data> newest_;  // by realm
  std::map<std::string, std::string> files_;                      // by url
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_SERVER_IMAGES_H_
