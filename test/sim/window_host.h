// WindowHost: one window's production core (src/client) with its host around it, as js/api has it.
#ifndef SKERRY_TEST_SIM_WINDOW_HOST_H_
#define SKERRY_TEST_SIM_WINDOW_HOST_H_

#include <memory>
#include <optional>

#include "base/data.h"
#include "client/client.h"
#include "test/core/model_check/naive_model.h"
#include "test/sim/checks.h"
#include "test/sim/host.h"

namespace skerry::sim {

class WindowHost final : public Host {
 public:
  WindowHost(World* world, Profile* profile, std::string tab, uint64_t serial, Release release);

  bool is_window() const override { return true; }
  bool ready() const { return client_->tab().ready(); }
  Client& client() { return *client_; }
  const Client& client() const { return *client_; }
  // What a query over everything would show.
  test::naive::Rows Visible() const;
  // A change by the person in front of it; nothing happens where a rule of the window forbids it.
  void Mutate(uint32_t a, uint32_t b);
  void Dispatch(Data event) { Execute(Handle(Timed(std::move(event)))); }
  void Freeze();      // the application may change something yet
  void StandStill();  // nothing more is heard of the page

 protected:
  Data Handle(Data event) override;
  void Special(const Data& effect) override;
  void Post(const Data& message) override;
  bool HasWork() const override { return image_.has_value(); }
  void Work() override;  // the image that was asked for is read

 private:
  void Keep(const Data& records);
  void Drained(Drain when);
  void RollBack();

  std::unique_ptr<Client> client_;
  std::optional<Data> image_;
  uint64_t fresh_ = 0;  // ids of notes
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WINDOW_HOST_H_
