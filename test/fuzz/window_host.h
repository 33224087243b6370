// WindowHost: a window's core with its host, over a FakeStorage with damaged content. It executes
// every effect of the core, and reports if the core does not come to rest.
#ifndef SKERRY_TEST_FUZZ_WINDOW_HOST_H_
#define SKERRY_TEST_FUZZ_WINDOW_HOST_H_

#include <deque>
#include <memory>
#include <set>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "client/client.h"
#include "test/core/sync/fake_storage.h"
#include "test/fuzz/snapshot.h"

namespace skerry::fuzz {

class WindowHost final : public sync_test::TransactionCaller {
 public:
  WindowHost(sync_test::FakeStorage* storage, Images* images);

  Data Call(Data event) override;
  void Event(Data event);
  void Hear(const Data& message);
  // Executes everything until nothing is left, timers included. Returns the problem if that does
  // not end.
  std::string Rest();
  bool ready() const { return client_->tab().ready(); }
  // Whether the core has reported that it cannot open.
  bool has_reported() const { return has_reported_; }
  // Creates a group; returns false if that does not become durable.
  bool Edit(const std::string& id);

 private:
  std::string Settle();
  bool Step();
  void Execute(const Data& effects);
  void LoadImage();

  sync_test::FakeStorage* storage_;
  Images* images_;
  std::unique_ptr<Client> client_;
  std::deque<Data> queue_;
  Data image_;
  std::set<std::string> timers_;
  std::set<std::string> durable_;
  bool has_reported_ = false;
  bool unreadable_ = false;  // effects that JavaScript could not decode
  double now_ = 1'000'000;
};

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_WINDOW_HOST_H_
