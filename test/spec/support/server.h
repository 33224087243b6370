// Server: the production authority (src/authority) on a database in memory, as a node of the server
// answers pushes and pulls. Everyone may write into the realms A and B.
#ifndef SKERRY_TEST_SPEC_SUPPORT_SERVER_H_
#define SKERRY_TEST_SPEC_SUPPORT_SERVER_H_

#include <algorithm>
#include <map>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "test/core/authority/world.h"
#include "test/spec/support/page.h"

namespace skerry::spec {

class Server {
 public:
  Server() { SendPagesOf(1000); }

  // A request arrives; returns the answer's body.
  Data Push(const std::string& body);
  Data Pull(const std::string& body);
  const std::string& Image(const std::string& url) const { return images_.at(url); }
  // The statuses of the answer if this push arrives (again): "applied duplicate", for example.
  std::string Receives(const std::string& push);

  bool Has(const std::string& table, const std::string& id) const;
  double Number(const std::string& item) const;  // NaN if there is no such item
  ShownRows Rows() const;
  // How often this action is in a log.
  size_t CountAction(const std::string& action) const;

  // ---- how it answers pulls
  void SendPagesOf(size_t rows) { database_.reads.page_rows = rows; }
  void SendAtMost(uint64_t entries, const std::string& realm) {
    database_.reads.most_entries[realm] = entries;
  }
  // Every realm counts as large enough to be sent as an image.
  void SendImages() { database_.rows_for_image = 1'000'000; }
  // The next entry of this realm has too many changes for any answer.
  void SendNoChangesOf(const std::string& realm) { database_.reads.omitted.insert(realm); }
  void SendAllChanges() { database_.reads.omitted.clear(); }

  void ClockIsAtLeast(double now) { database_.now = std::max(database_.now, now); }

  Vector<std::string> pushes;  // the bodies that have arrived, in order
  Vector<std::string> pulls;

 private:
  Data OfferImage(const std::string& realm);

  authority_test::AuthorityWorld database_;
  std::map<std::string, std::string> images_;  // by url
};

// The text by which rows are compared (ShownRows).
std::string ShownRow(const Data& row);

}  // namespace skerry::spec

#endif  // SKERRY_TEST_SPEC_SUPPORT_SERVER_H_
