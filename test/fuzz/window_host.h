// WindowHost: a window's core and its host over a FakeStorage that somebody else has written to. It
// does what it is told whatever that is, and says where the core does not come to rest.
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
  // Everything that can be done, and what timers bring. What is wrong, if it does not end.
  std::string Rest();
  bool ready() const { return client_->tab().ready(); }
  bool told() const { return told_; }  // that it cannot open
  // Makes a group; false where it does not become durable.
  bool Edit(const std::string& id);

 private:
  std::string Settle();
  bool Step();
  void Obey(const Data& effects);
  void LoadImage();

  sync_test::FakeStorage* storage_;
  Images* images_;
  std::unique_ptr<Client> client_;
  std::deque<Data> queue_;
  Data image_;
  std::set<std::string> timers_;
  std::set<std::string> durable_;
  bool told_ = false;
  bool unreadable_ = false;  // effects that JavaScript could not decode
  double now_ = 1'000'000;
};

}  // namespace skerry::fuzz

#endif  // SKERRY_TEST_FUZZ_WINDOW_HOST_H_
