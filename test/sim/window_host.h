// WindowHost: the production core of one window (src/client), with a host like that of js/api.
#ifndef SKERRY_TEST_SIM_WINDOW_HOST_H_
#define SKERRY_TEST_SIM_WINDOW_HOST_H_

#include <memory>
#include <optional>

#include "base/data.h"
#include "client/client.h"
#include "test/core/model_check/naive_model.h"
#include "test/sim/checks.h"
#include "test/sim/host.h"
#include "test/sim/window_rules.h"
#include "test/sim/window_streams.h"

namespace skerry::sim {

class WindowHost final : public Host {
 public:
  WindowHost(World* world, Profile* profile, std::string tab, uint64_t serial, Release release);

  bool is_window() const override { return true; }
  bool ready() const { return client_->tab().ready(); }
  Client& client() { return *client_; }
  const Client& client() const { return *client_; }
  // The rows that a query over all tables would show.
  test::naive::Rows Visible() const;
  // Empty in a run without streams.
  const std::optional<WindowStreams>& streams() const { return streams_; }
  void FoldStreams();
  // A random change by the user; nothing happens if a rule of the window forbids it.
  void Mutate(uint32_t a, uint32_t b);
  void MendAll();  // what its rules have found wrong
  // What the user does takes the place of an entry of the inbox.
  void Amend(const Data& entry, uint32_t which);
  void Dispatch(Data event) { Execute(Handle(Timed(std::move(event)))); }
  void Freeze();      // the page gets the event, and may still change something
  void StandStill();  // the page stops without an event

 protected:
  Data Handle(Data event) override;
  void ExecuteSpecial(const Data& effect) override;
  void AfterEffects() override;  // answers for the rules
  void Post(const Data& message) override;
  bool HasWork() const override { return image_.has_value() || !answers_.empty(); }
  void Work() override;  // reads the image that the core asked for, or accepts a realm again

 private:
  test::naive::Op AnyOp(Random* random);
  std::optional<OpOutcome> Do(TxCall call, TableIndex table, const Data& operation);
  std::optional<OpOutcome> Do(const test::naive::Op& op);
  bool Undo(bool redo);
  bool AppendTo(Random* random);
  void NoteAnswers(const Data& state);
  void AcceptLost();
  void Mend(const WrongRow& row);
  void Commit(MadeMutation made, bool is_of_stream = false);
  void Keep(const Data& records);
  void Drained(Drain when);
  void RollBack();

  std::unique_ptr<Client> client_;
  std::optional<WindowStreams> streams_;
  WindowRules rules_;
  std::optional<Data> validate_;  // the effect that has no answer yet
  std::optional<Data> image_;
  Vector<std::string>
      answers_;         // realms that were lost, and wait for the user to accept them again
  uint64_t fresh_ = 0;  // ids of notes
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WINDOW_HOST_H_
