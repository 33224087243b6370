// SeenSync: the `sync` record as this worker last saw it. It is for the status and for requests only;
// decisions read the record again, inside their transaction.
#ifndef SKERRY_SYNC_SEEN_SYNC_H_
#define SKERRY_SYNC_SEEN_SYNC_H_

#include <string>
#include <utility>

#include "base/data.h"
#include "base/id.h"
#include "log/sync_record.h"
#include "log/update_record.h"
#include "model/schema.h"
#include "sync/message.h"

namespace skerry {

class SeenSync {
 public:
  SeenSync(const Schema* schema, UuidGenerator* ids) : schema_(schema), ids_(ids) {}

  const SyncRecord& record() const { return record_; }
  void See(SyncRecord record) { record_ = std::move(record); }
  // Another worker has written a record of `updates`. `started`: this worker has read the `sync`
  // record.
  void SeeRecord(const UpdateRecord& record, bool started);
  void SeeLogged(uint64_t n, Cursors cursors, uint64_t record_bytes);
  // Another worker's status. Returns whether it has synced since.
  bool SeeStatus(const StatusRecord& status);

  // The record as it was read at the start, or for a change of what is wanted.
  SyncRecord Complete(const Data& stored, double now);
  // The record as it was read; completed if it is damaged or missing. Then no n is used twice: n is
  // at least the last one that was seen.
  SyncRecord Repair(const Data& stored, double now);
  // Whether it was damaged, and windows do not know it yet: they must be notified, and check whether
  // they can go on.
  bool TakeDamage() { return std::exchange(must_report_damage_, false); }

  // No image could be built on the newest one: the next is built on the one before it.
  bool builds_on_previous_image() const { return builds_on_previous_image_; }
  void ImageWasRead() { builds_on_previous_image_ = false; }
  void ImageWasUnreadable() { builds_on_previous_image_ = !builds_on_previous_image_; }

  // The server was asked what it has forgotten.
  bool knows_floors() const { return knows_floors_; }
  void SeeFloors() { knows_floors_ = true; }

 private:
  const Schema* schema_;
  UuidGenerator* ids_;
  SyncRecord record_;
  bool must_report_damage_ = false;
  bool loss_reported_ = false;  // it is still damaged, and that was reported
  bool builds_on_previous_image_ = false;
  bool knows_floors_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SEEN_SYNC_H_
