#include "test/spec/support/server.h"

#include <limits>

#include "authority/image_maker.h"
#include "authority/row_data.h"
#include "base/json.h"
#include "doctest/doctest.h"
#include "log/image.h"

namespace skerry::spec {

std::string ShownRow(const Data& row) {
  Data shown = Data::MakeObject();
  for (const char* name : {"realm", "createdAt", "modifiedAt"}) shown.Set(name, row[name]);
  for (const auto& [name, value] : row["props"].members()) {
    if (!value.is_null()) shown.Set(name, value);
  }
  return WriteJson(shown);
}

Data Server::Push(const std::string& body) {
  pushes.push_back(body);
  const Data request = authority_test::Json(body);
  const Data results =
      database_.Commit({{request["client"].as_string(), "anna", request["updates"].items()}});
  REQUIRE_MESSAGE(results.is_array(), WriteJson(results));
  Data answer = Data::MakeObject();
  return answer.Set("time", database_.now).Set("results", results.items()[0]);
}

Data Server::Pull(const std::string& body) {
  pulls.push_back(body);
  Data answer = database_.Pull("anna", authority_test::Json(body));
  REQUIRE_MESSAGE(answer.Find("error") == nullptr, WriteJson(answer));
  Data fills = Data::MakeArray();
  for (const Data& fill : answer["fills"].items())
    fills.Push(fill["url"].is_string() ? OfferImage(fill["realm"].as_string()) : fill);
  if (!fills.items().empty()) answer.Set("fills", std::move(fills));
  return answer;
}

Data Server::OfferImage(const std::string& realm) {
  const uint64_t head = database_.head(realm);
  const std::string cursor = database_.cursor(realm, head);
  const double at = std::stod(cursor.substr(cursor.find('@') + 1));
  ImageMaker maker(&authority_test::WorldSchema(), realm, {head, at});
  for (const auto& [key, row] : database_.StateAt(realm, head)) {
    const StoredRow stored = StoredRowFromData(authority_test::WorldSchema(), row).value();
    REQUIRE(maker.AddRow(stored.key, stored.row).ok());
  }
  const std::string bytes = maker.Finish();
  const std::string url = "/snapshot/" + realm + "/" + std::to_string(head);
  Data offer = Data::MakeObject();
  offer.Set("realm", realm).Set("revision", head).Set("at", at).Set("epoch", "1").Set("url", url);
  offer.Set("hash", ImageChecksum(bytes)).Set("bytes", static_cast<uint64_t>(bytes.size()));
  images_[url] = bytes;
  return offer;
}

std::string Server::Receives(const std::string& push) {
  std::string statuses;
  const Data answer = Push(std::string(push));
  for (const Data& result : answer["results"].items()) {
    if (!statuses.empty()) statuses += " ";
    statuses += result["status"].as_string();
  }
  return statuses;
}

bool Server::Has(const std::string& table, const std::string& id) const {
  return database_.Row(table, id).is_object();
}

double Server::Number(const std::string& item) const {
  return database_.Row("items", item)["props"]["n"].as_number(
      std::numeric_limits<double>::quiet_NaN());
}

ShownRows Server::Rows() const {
  ShownRows rows;
  for (const char* realm : {"A", "B"}) {
    for (const auto& [key, row] : database_.StateAt(realm, database_.head(realm)))
      rows[key.first + "/" + key.second] = ShownRow(row);
  }
  return rows;
}

size_t Server::CountAction(const std::string& action) const {
  size_t count = 0;
  for (const Data& entry : database_.entries()) {
    const std::string text = WriteJson(entry);
    count += text.find(action) != std::string::npos ? 1 : 0;
  }
  return count;
}

}  // namespace skerry::spec
