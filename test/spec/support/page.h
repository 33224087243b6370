// Page: the production core of one window (src/client), and what the user does and sees in it.
// Rows are those of the authority's tests (test/core/authority/world.h): items with a number `n`,
// groups with members, and so on. A row is in realm A unless the story says another one.
#ifndef SKERRY_TEST_SPEC_SUPPORT_PAGE_H_
#define SKERRY_TEST_SPEC_SUPPORT_PAGE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/data.h"
#include "client/client.h"
#include "client/transaction_input.h"
#include "test/spec/support/actor.h"

namespace skerry::spec {

class Window;
using Props = Data::Object;
// What is known of rows, as JSON texts: realm, times and props, by table and id.
using ShownRows = std::map<std::string, std::string>;

class Page final : public Actor {
 public:
  Page(Window* window, Device* device, const std::string& name);

  // ---- what the user does. Each is one mutation; returns its id.
  std::string Creates(const std::string& table, const std::string& id, Props props,
                      const std::string& realm = "A");
  std::string Changes(const std::string& table, const std::string& id, Props props);
  std::string Adds(const std::string& item, double by);  // to the item's number
  std::string Deletes(const std::string& table, const std::string& id);
  std::string Moves(const std::string& table, const std::string& id, const std::string& realm);
  // All of these edits are one mutation. The ids that they return themselves are empty.
  std::string DoesAtOnce(const std::function<void()>& edits);

  // ---- what the user sees
  bool IsOpen() const { return client_->tab().ready(); }
  bool Sees(const std::string& table, const std::string& id) const;
  Data Prop(const std::string& table, const std::string& id, const std::string& prop) const;
  double Number(const std::string& item) const;  // of an item; NaN if it is not there
  std::string RealmOf(const std::string& table, const std::string& id) const;
  ShownRows Shown() const;
  // Stages of a mutation: "durable", "pushed" or "confirmed". "ok", an error's code, or "" if the
  // promise is open.
  std::string Stage(const std::string& mutation, const std::string& stage) const;
  size_t Pending() const;
  size_t Conflicts() const { return conflicts_; }  // entries of the inbox

  // ---- for the window
  bool wants_worker() const { return wants_worker_; }
  void Notify(std::string_view event) { Dispatch(NamedEvent(event)); }

 protected:
  Data Handle(Data event) override { return client_->Handle(std::move(event)); }
  void Special(const Data& effect) override;
  void Post(const Data& message) override;
  bool TakeOwnStep() override;  // reads the image that the core asked for

 private:
  std::string Does(TxCall call, const std::string& table, const std::string& id, Data realm,
                   Props props);
  void Begin();
  std::string Commit();
  std::optional<Row> RowOf(const std::string& table, const std::string& id) const;

  Window* window_;
  std::unique_ptr<Client> client_;
  std::optional<Data> image_;
  std::map<std::string, std::map<std::string, std::string>> stages_;
  size_t conflicts_ = 0;
  bool wants_worker_ = false;
  bool is_in_one_ = false;  // DoesAtOnce commits
};

}  // namespace skerry::spec

#endif  // SKERRY_TEST_SPEC_SUPPORT_PAGE_H_
