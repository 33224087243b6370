// Comparison: what this window holds of the server's rows, compared with the server
// (docs/design.md, "Comparing"). It has no I/O: it works in portions, says what to ask the server,
// and takes the answer.
//
// Table by table, in rounds over all its rows:
//   borders: a large table is divided into parts by ids, so that each has few enough rows
//   sums:    the digests of each part's rows are added up, by bucket
//   asked:   the server says of each part whether it is the same, or which buckets differ. These
//            are looked through in another round, which lists their rows
//
// Rows may change between two portions, because records are applied meanwhile. Then sums may be
// wrong, and differ where rows do not: the digests of listed rows are computed when they are asked
// for, all at once, and so are exact. What the server then sends is compared with base once more.
//
// Request and answer are those of log/wire/diff.h. Here they are Data, because a page loads this code, and the
// reading and writing of so many structs would be a third of it; the tests read each request by them.
#ifndef SKERRY_CLIENT_COMPARISON_H_
#define SKERRY_CLIENT_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/record.h"
#include "log/sync_record.h"
#include "model/row_digest.h"

namespace skerry {

// What comes next.
enum class CompareNext : uint8_t { kWork, kAsk, kPull, kDone };

class Comparison {
 public:
  Comparison(const Schema* schema, const View* view) : schema_(schema), view_(view) {}

  // Begins, with the realms and the tables of which everything is there. `client`: the identity.
  void Begin(const SyncProgress& sync, std::string client);
  CompareNext next() const { return next_; }
  // Looks at so many rows. REQUIRES: kWork, or kPull after a pull.
  void Work(size_t rows);
  // The body of a request (wire::DiffRequest). REQUIRES: kAsk.
  std::string Ask(const Cursors& cursors);
  // Takes the answer to the last request (wire::DiffAnswer); returns what has to be changed. `cursors`: the present ones.
  // Where they are no longer those of the request, parts that differ are asked for again.
  Vector<Step> Take(const Data& answer, const Cursors& cursors);
  // The steps could not be stored, because something came first: their parts are asked for again.
  void Retry();
  // Whether a scope has changed since the beginning: then its rows may not be those of the server.
  bool FitsScopes(const SyncProgress& sync) const { return sync.scopes == scopes_; }

  uint64_t checked() const { return checked_; }  // rows that were found to be the same, or mended
  uint64_t left() const { return left_; }        // parts that could not be compared
  // Rows that were mended before, and differ again from the same row of the server.
  uint64_t hopeless() const { return hopeless_; }

 private:
  // The rows of the table in a realm with ids in (above, upto].
  struct Part {
    std::string realm;
    std::string above;
    std::optional<std::string> upto;
    uint64_t count = 0;
    Vector<uint64_t> sums;     // while there are none, its rows are listed
    Vector<uint64_t> buckets;  // those that are listed; empty: all
    Vector<std::string> ids;   // that are listed
  };
  // What is to be compared of a table. No parts: all of it.
  struct Todo {
    TableIndex table = kNone;
    Vector<Part> parts;
  };
  enum class Round : uint8_t { kBorders, kSums };
  // A part with at most so many rows sends these instead of sums, which are longer.
  static constexpr size_t kFewRows = 64;

  bool IsComparable(const TableDef& table) const;
  Part NewPart(std::string realm, std::string above, std::optional<std::string> upto) const;
  void NextTable();
  void NextRound();
  void BeginRound(Round round);
  void Divide();
  void AddRow(std::string_view realm, std::string_view id, const RowStore& store, Slot slot);
  void AddKeptAside();
  Part* PartOf(std::string_view realm, std::string_view id);
  std::optional<uint64_t> DigestOf(const std::string& realm, const std::string& id) const;
  Data Describe(Part* part);
  void TakeResult(Part part, const Data& result, bool is_current, Vector<Step>* steps);
  void TakeChange(const Data& data, const std::string& realm, Vector<Step>* steps);
  void ListAgain(Part part);
  void Wait(Part part);
  void Split(const Part& part, const std::string& at);
  bool TakeUnknown(const Data& names);
  void TakeRow(const ObjectKey& key, const std::string& realm, const std::optional<Row>& row,
               Vector<Step>* steps);

  const Schema* schema_;
  const View* view_;
  std::string client_;
  Vector<SyncScope> scopes_;
  Vector<std::string> realms_;  // sorted
  Vector<Todo> todo_;           // the last one is next
  Vector<Todo> waiting_;        // for a pull
  size_t pulls_ = 0;

  TableIndex table_ = kNone;       // the present one
  Vector<PropIndex> props_;        // ascending
  Vector<PropIndex> asked_props_;  // those of the last request
  Vector<Part> parts_;             // sorted by realm and `above`
  Vector<Part> later_;             // for the next round over this table
  Round round_ = Round::kSums;
  Slot slot_ = 0;  // of the next row of this round
  uint64_t sampled_ = 0;
  Map<std::string, Vector<std::string>> samples_;  // by realm: ids
  size_t rounds_ = 0;                              // of this table
  size_t first_ = 0, end_ = 0;                     // the parts of the last request
  Cursors asked_at_;
  Todo mending_;  // what the last answer mends

  CompareNext next_ = CompareNext::kDone;
  uint64_t checked_ = 0;
  uint64_t left_ = 0;
  uint64_t hopeless_ = 0;
  // What was mended, by realm, table and id: the digest of what the row became; 0 if it was removed.
  Map<std::string, uint64_t> mended_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_COMPARISON_H_
