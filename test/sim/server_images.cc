#include "test/sim/server_images.h"

#include <utility>

#include "authority/image_maker.h"
#include "log/image.h"
#include "test/sim/database.h"

namespace skerry::sim {
namespace {

constexpr uint64_t kTooOld = 4;  // revisions

}  // namespace

Data ServerImages::Offer(const Data& need, const Schema& schema, const Database& database) {
  const std::string& realm = need["realm"].as_string();
  const Database::Head& head = database.heads().at(realm);
  Data& newest = newest_[{realm, &schema}];
  const uint64_t revision = newest["revision"].as_u64();
  const bool is_usable = revision + kTooOld > head.head && revision >= head.floor &&
                         revision >= need["least"].as_u64();
  if (newest.is_object() && is_usable) return newest;
  if (newest.is_object()) files_.erase(newest["url"].as_string());
  ImageMaker maker(&schema, realm, {head.head, head.at});
  Database::Rows space;
  for (const auto& [key, stored] : database.RowsOf(schema, &space)) {
    if (!stored.deleted_at && key.realm == realm)
      SKERRY_CHECK(maker.AddRow(key.object, stored.row).ok());
  }
  const std::string bytes = maker.Finish();
  const std::string hash = ImageChecksum(bytes);
  const std::string url = "/snapshot/" + realm + "/1/" + std::to_string(head.head) + "/" + hash;
  newest = Data::MakeObject();
  newest.Set("realm", realm).Set("revision", head.head).Set("at", head.at).Set("epoch", "1");
  newest.Set("hash", hash).Set("bytes", static_cast<uint64_t>(bytes.size())).Set("url", url);
  files_[url] = bytes;
  return newest;
}

std::string ServerImages::RealmOf(const std::string& url) {
  const std::string rest = url.substr(std::string("/snapshot/").size());
  return rest.substr(0, rest.find('/'));
}

const std::string* ServerImages::Find(const std::string& url) const {
  const auto file = files_.find(url);
  return file == files_.end() ? nullptr : &file->second;
}

void ServerImages::Clear() {
  newest_.clear();
  files_.clear();
}

}  // namespace skerry::sim
