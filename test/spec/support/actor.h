// Actor: a production core (a page's or a sync worker's) with a host that does what js/host does,
// one step at a time. A story holds back kinds of steps; all other steps are taken by
// Story::Settle. A transaction takes two steps: it is stored, and then the core is notified.
#ifndef SKERRY_TEST_SPEC_SUPPORT_ACTOR_H_
#define SKERRY_TEST_SPEC_SUPPORT_ACTOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/data.h"
#include "test/core/sync/fake_storage.h"

namespace skerry::spec {

class Device;

enum class Step : uint8_t {
  kTransaction,  // a transaction begins, and is stored
  kOutcome,      // the core is notified that a transaction has completed, or has failed
  kImage,        // an image is read, or written
  kPush,         // a push arrives at the server
  kPushAnswer,   // its answer arrives at the worker
  kPull,
  kPullAnswer,
  kLock,  // a Web Lock is granted, refused or lost
};

class Actor : public sync_test::TransactionCaller {
 public:
  Actor(Device* device, std::string name) : device_(device), name_(std::move(name)) {}
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  // ---- for stories
  // From now on these steps, or messages of this type on the channel, wait.
  void Hold(Step step) { held_steps_.insert(step); }
  void HoldMessage(const std::string& type) { held_messages_.insert(type); }
  // One held step of this kind may be taken.
  void Let(Step step) { allowed_.insert(step); }
  void Release(Step step) { held_steps_.erase(step); }
  void Release();  // everything
  // The next message of this type is lost, as for a page that was frozen at that moment.
  void Miss(const std::string& type) { missed_.insert(type); }
  // The next transaction that writes fails with this DOMException, and stores nothing.
  void FailNextWrite(const std::string& name) { fail_ = name; }
  // Nothing runs until GoOn: the machine sleeps, or the engine has stopped the page without an
  // event.
  void StandStill() { still_ = true; }
  void GoOn() { still_ = false; }

  // ---- for the story's world
  Data Call(Data event) final { return Handle(Timed(std::move(event))); }
  void Deliver(Data event) { inbox_.push_back(std::move(event)); }
  void Hear(const Actor* sender, const Data& message);
  bool TakeStep();  // false: there is none that may be taken now
  double next_timer() const;
  bool FireTimer();  // a timer that is due
  void End();        // it is gone at once
  bool has_ended() const { return ended_; }
  const std::string& name() const { return name_; }
  Device& device() { return *device_; }

 protected:
  virtual Data Handle(Data event) = 0;
  virtual void Special(const Data& effect) = 0;
  virtual void Post(const Data& message) = 0;  // between a page and its worker
  virtual bool TakeOwnStep() { return false; }

  bool May(Step step);  // call it only where the step is taken if it may be
  Data Timed(Data event) const;
  void Dispatch(Data event) { Execute(Handle(Timed(std::move(event)))); }
  void Execute(const Data& effects);

 private:
  bool TakeMessage();
  void RunTransaction();

  Device* device_;
  std::string name_;
  std::deque<Data> inbox_;
  std::deque<std::pair<const Actor*, Data>> channel_;
  std::deque<Data> transactions_;
  std::optional<Data> outcome_;  // of the first transaction
  std::map<std::string, double> timers_;
  std::set<Step> held_steps_;
  std::multiset<Step> allowed_;
  std::set<std::string> held_messages_;
  std::multiset<std::string> missed_;
  std::string fail_;
  bool still_ = false;
  bool ended_ = false;
};

Data NamedEvent(std::string_view type);

}  // namespace skerry::spec

#endif  // SKERRY_TEST_SPEC_SUPPORT_ACTOR_H_
