// The record `sync`: what the client knows of where it stands. There is one, in the store of that
// name under the key of that name. Every window and worker may rewrite it, in a transaction, and
// keeps what it does not know of it.
#ifndef SKERRY_LOG_SYNC_RECORD_H_
#define SKERRY_LOG_SYNC_RECORD_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/cursor.h"
#include "log/members.h"
#include "log/mutation_record.h"
#include "log/outbox_record.h"
#include "log/record_version.h"
#include "model/schema.h"

namespace skerry {

// How far a scope is filled: not at all (false), wholly (true), or up to a row (its id).
struct ScopeFill {
  bool whole = false;
  std::optional<std::string> upto;
  friend bool operator==(const ScopeFill&, const ScopeFill&) = default;
};
bool Fits(const Data& data, const ScopeFill*);
void FromData(Data&& data, ScopeFill* out);
Data ToData(const ScopeFill& filled);

// What a window asks for or drops, and what an answer says is to be filled again.
struct WantedScope {
  std::string table;
  Data where;  // the wire's filter
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("where", self.where);
  }
};

// Rows that windows want.
struct SyncScope {
  std::string table;
  Data where;
  ScopeFill filled;
  std::optional<double> asked;  // the day, since 1970, on which a window last asked for it
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("where", self.where);
    member("filled", self.filled);
    member.Optional("asked", self.asked);
  }
  friend bool operator==(const SyncScope&, const SyncScope&) = default;
};
bool Fits(const Data& data, const SyncScope*);

// A file of an image, in the mount `/skerry/<name>/<user>/<generation>`.
struct ImagePart {
  std::string file;
  uint64_t bytes = 0;
  std::string checksum;
  std::optional<bool> left_out;  // the schema had no place for something that it was made of
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("file", self.file);
    member("bytes", self.bytes);
    member("checksum", self.checksum);
    member.Optional("leftOut", self.left_out);
  }
  friend bool operator==(const ImagePart&, const ImagePart&) = default;
};

// An image of base: it holds all records up to n.
struct ImagePointer {
  std::string generation;
  Vector<ImagePart> parts;
  uint64_t n = 0;
  Cursors cursors;
  std::optional<uint64_t> record_bytes;  // as SyncRecord has it, at n
  std::optional<std::string> layout;     // of the schema that it was made under
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation);
    member("parts", self.parts);
    member("n", self.n);
    member("cursors", self.cursors);
    member.Optional("recordBytes", self.record_bytes);
    member.Optional("layout", self.layout);
  }
  friend bool operator==(const ImagePointer&, const ImagePointer&) = default;
};
bool Fits(const Data& data, const ImagePointer*);

// A generation of the image that is being written, or is to be deleted.
struct Generation {
  std::string generation;
  std::string lease;   // under which it is written; empty: it is to be deleted
  uint64_t epoch = 0;  // of that lease
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation);
    member("lease", self.lease);
    member("epoch", self.epoch);
  }
};
bool Fits(const Data& data, const Generation*);

struct SyncRecord {
  double version = kRecordVersion;
  std::string client;       // the identity under which updates are grouped
  uint64_t n = 0;           // of the last record of `updates`: those beyond it are nobody's
  uint64_t gone_up_to = 0;  // a mutation with such a key that is not there is gone for good
  Cursors cursors;
  Vector<Cursors> older;  // the last ones before, the newest first; at most kMaxOlderCursors
  Vector<SyncScope> scopes;
  uint64_t scope_version = 0;
  Chain chain;
  Revisions seen;  // of this identity's updates, the highest seq that was confirmed, by realm
  std::optional<std::string> realms_token;
  std::optional<double> clock_offset;    // ms that the server's clock is ahead
  std::optional<double> last_synced_at;  // ms; null: never
  uint64_t schema = 0;                   // the highest version that has opened it
  // A layout under which something that the server had sent had no place: another layout takes
  // everything anew, and every one does where it is "any", for two lack something.
  std::optional<std::string> lacks;
  std::optional<ImagePointer> image;
  std::optional<ImagePointer> previous;  // the image before: where `image` cannot be read
  Vector<KnownMutation> known;
  Vector<std::string> refill;  // realms whose rows are dropped when they come anew
  Vector<Generation> generations;
  uint64_t record_bytes = 0;  // of the bodies of all records up to n, ever
  Rest rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("client", self.client);
    member("n", self.n);
    member("goneUpTo", self.gone_up_to);
    member("cursors", self.cursors);
    member("older", self.older);
    member("scopes", self.scopes);
    member("scopeVersion", self.scope_version);
    member("chain", self.chain);
    member("seen", self.seen);
    member("realmsToken", self.realms_token);
    member("clockOffset", self.clock_offset);
    member("lastSyncedAt", self.last_synced_at);
    member("schema", self.schema);
    member.Optional("lacks", self.lacks);
    member("image", self.image);
    member("previous", self.previous);
    member("known", self.known);
    member("refill", self.refill);
    member("generations", self.generations);
    member("recordBytes", self.record_bytes);
  }
  static SyncRecord Read(Data stored);
  Data Write() const;
};

inline constexpr size_t kMaxOlderCursors = 8;

// Whether windows and images can still go by what is stored: n, cursors and pointers are whole.
bool KeepsPlace(const Data& stored);

// What is stored, with every member that the sync worker counts on. `client`: where it has no
// identity yet. A newer version's record is left as it is.
SyncRecord CompleteSyncRecord(Data stored, std::string_view client, uint32_t schema_version);

// Gives it another identity: an empty chain, nothing seen. Updates in the outbox stay under theirs.
void NewIdentity(const std::string& client, SyncRecord* sync);

// A newer version of the application has opened this database: what this one does not know may be
// that one's, and is left to it.
bool IsOfNewer(const Schema& schema, const SyncRecord& sync);

// A schema's layout, as records name it.
std::string Layout(const Schema& schema);
bool LacksRows(const Schema& schema, const SyncRecord& sync);
// One more layout under which something had no place. Where another was noted before, that one
// still lacks what it lacked: then all are to take it anew.
void NoteLack(const std::string& layout, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_LOG_SYNC_RECORD_H_
