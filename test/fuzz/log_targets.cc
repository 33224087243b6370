// Targets of logged, stored and exported data: bodies of mutations and steps, images, updates,
// changes, mutations of an export; and a server's answers as the sync worker reads them.
#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/image.h"
#include "log/row_data.h"
#include "sync/answer.h"
#include "sync/grouping.h"
#include "sync/image_compactor.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "test/core/log/log_fixture.h"
#include "test/core/log/row_map.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

using test::LogSchema;
using test::OpMaker;
using test::TestUuid;

constexpr int kSeeds = 6;

Mutation AnyMutation(Random* random) {
  const Update update = OpMaker(random).AnyUpdate();
  Mutation mutation;
  mutation.action = update.actions[0];
  mutation.base = {{"public", 5}, {"team-1", 0}};
  mutation.ops = update.ops;
  for (Op& op : mutation.ops) op.by = {0};
  return mutation;
}

// The same schema with its props in another order, and without one of them: stored bodies and
// images are read after a change of the schema, too.
const Schema& OtherSchema() {
  static const Schema schema = [] {
    Data description = DecodeData(LogSchema().description()).value();
    for (auto& [name, value] : description.mutable_members()) {
      if (name != "tables") continue;
      for (Data& table : value.mutable_items()) {
        for (auto& [member, props] : table.mutable_members()) {
          if (member != "props" || props.items().size() < 2) continue;
          std::swap(props.mutable_items().front(), props.mutable_items().back());
        }
      }
    }
    return std::move(Schema::Parse(description).value());
  }();
  return schema;
}

Vector<std::string> MutationSeeds() {
  Vector<std::string> seeds;
  for (int i = 0; i < kSeeds; ++i) {
    Random random(test::SeedText(static_cast<uint64_t>(i)));
    seeds.push_back(EncodeMutation(LogSchema(), AnyMutation(&random)));
  }
  return seeds;
}

std::string RunMutation(std::string_view input, bool* taken) {
  for (const Schema* schema : {&LogSchema(), &OtherSchema()}) {
    const Result<Mutation> decoded = DecodeMutation(*schema, input);
    if (!decoded.ok()) continue;
    *taken = true;
    static_cast<void>(MutationToData(*schema, decoded.value()));
    if (!DecodeMutation(*schema, EncodeMutation(*schema, decoded.value())).ok())
      return "a mutation that was read cannot be stored";
  }
  return "";
}

Step PageStep(Random* random) {
  Step step;
  step.kind = StepKind::kPage;
  step.page = {test::kCities, EncodeData(ParseJson(R"(["=","size","s"])").value()), "", TestUuid(9),
               {"public"},    {OpMaker(random).AnyId(test::kCities, false)}};
  return step;
}

Vector<Step> RandomSteps(Random* random) {
  OpMaker maker(random);
  Vector<Step> steps(9);
  steps[0].kind = StepKind::kOwnOps;
  steps[0].realm = "public";
  steps[0].at = 1.76e12;
  steps[0].revision = 7;
  steps[0].ops = maker.AnyUpdate().ops;
  for (size_t i = 1; i < 5; ++i) steps[i].change = maker.AnyChange();
  steps[5] = PageStep(random);
  steps[6].kind = StepKind::kDropRealm;
  steps[6].realm = "team-1";
  steps[7].kind = StepKind::kKeepScopes;
  steps[7].scopes = {{test::kCities, EncodeData(ParseJson(R"(["true"])").value())}};
  steps[8].kind = StepKind::kActions;
  steps[8].realm = "public";
  steps[8].stream = "chat";
  steps[8].actions = {{{7, 0}, TestUuid(3), "said", R"({"text":"a"})", 2, 1, "bo"},
                      {{9, 1}, TestUuid(4), "said", "null", 4, 3, ""}};
  return steps;
}

Vector<std::string> StepsSeeds() {
  Vector<std::string> seeds;
  for (int i = 0; i < kSeeds; ++i) {
    Random random(test::SeedText(static_cast<uint64_t>(i)));
    seeds.push_back(EncodeSteps(LogSchema(), RandomSteps(&random)));
  }
  return seeds;
}

std::string RunSteps(std::string_view input, bool* taken) {
  test::TouchedKeys touched;
  for (const Schema* schema : {&LogSchema(), &OtherSchema()}) {
    const Result<Vector<Step>> decoded = DecodeSteps(*schema, input);
    if (!decoded.ok()) continue;
    if (!DecodeSteps(*schema, EncodeSteps(*schema, decoded.value())).ok())
      return "steps that were read cannot be stored";
    Base base(schema);
    Random random("rows");
    OpMaker maker(&random);
    for (int i = 0; i < 4 && schema == &LogSchema(); ++i)
      base.PutBase({test::kCities, maker.AnyId(test::kCities, i > 1)},
                   maker.AnyRow(test::kCities, "public"));
    const Status applied = ApplySteps(*schema, decoded.value(), &base, &touched);
    if (!applied.ok() && applied.detail().empty()) return "no detail";
    *taken = *taken || applied.ok();
    // Rows that were applied can be stored in an image.
    Base again(schema);
    const Status kept = LoadImage(EncodeImage(base, 1, {}), &again);
    if (!kept.ok()) return "rows that no image can hold: " + kept.detail();
  }
  return "";
}

Vector<std::string> ImageSeeds() {
  Vector<std::string> seeds;
  for (int i = 0; i < kSeeds; ++i) {
    Random random(test::SeedText(static_cast<uint64_t>(i)));
    OpMaker maker(&random);
    Base base(i % 2 == 0 ? &LogSchema() : &OtherSchema());
    for (int row = 0; row < 5 && i % 2 == 0; ++row) {
      const auto table = static_cast<TableIndex>(random.Below(4));
      base.PutBase({table, maker.AnyId(table, row > 2)},
                   maker.AnyRow(table, row % 2 == 0 ? "public" : "team-1"));
    }
    seeds.push_back(EncodeImage(base, 3, {{"public", "3@7"}}));
  }
  return seeds;
}

std::string RunImage(std::string_view input, bool* taken) {
  static_cast<void>(ReadImageHeader(input));
  for (const Schema* schema : {&LogSchema(), &OtherSchema()}) {
    ImageCompactor compactor(schema);
    const Status status = compactor.AddPart(input);
    if (!status.ok()) {
      if (status.detail().empty()) return "no detail";
      continue;
    }
    *taken = true;
    for (const TableDef& table : schema->tables()) {
      for (const auto& [id, realm] : compactor.base().BaseKeys(table.index)) {
        const auto row = compactor.base().GetBase(realm, {table.index, id});
        if (!row) return "a row that is listed is not there";
        static_cast<void>(PlainRow(table, id, *row, true));
      }
    }
    ImageCompactor again(schema);
    const Status written = again.AddPart(compactor.Finish(1, Data::MakeObject()));
    if (!written.ok()) return "an image that was read cannot be written: " + written.detail();
  }
  return "";
}

Vector<std::string> UpdateSeeds() {
  Vector<std::string> seeds;
  for (int i = 0; i < kSeeds; ++i) {
    Random random(test::SeedText(static_cast<uint64_t>(i)));
    seeds.push_back(WriteJson(UpdateToData(LogSchema(), OpMaker(&random).AnyUpdate())));
  }
  return seeds;
}

std::string RunUpdate(std::string_view input, bool* taken) {
  const Result<Data> json = ParseJson(input);
  if (!json.ok()) return "";
  Vector<OpProblem> problems;
  const Result<Update> update = UpdateFromData(LogSchema(), json.value(), &problems);
  if (!update.ok()) return update.status().detail().empty() ? "no detail" : "";
  *taken = true;
  const Data again = UpdateToData(LogSchema(), update.value());
  return UpdateFromData(LogSchema(), again).ok() ? "" : "an update that was taken is refused";
}

Vector<std::string> ExportSeeds() {
  Vector<std::string> seeds;
  for (int i = 0; i < kSeeds; ++i) {
    Random random(test::SeedText(static_cast<uint64_t>(i)));
    seeds.push_back(WriteJson(MutationToData(LogSchema(), AnyMutation(&random))));
  }
  return seeds;
}

std::string RunExport(std::string_view input, bool* taken) {
  const Result<Data> json = ParseJson(input);
  if (!json.ok()) return "";
  const Result<Mutation> mutation = MutationFromData(LogSchema(), json.value());
  if (!mutation.ok()) return mutation.status().detail().empty() ? "no detail" : "";
  *taken = true;
  const Result<Mutation> stored =
      DecodeMutation(LogSchema(), EncodeMutation(LogSchema(), mutation.value()));
  return stored.ok() ? "" : "a mutation that was taken cannot be stored";
}

Vector<std::string> PullAnswerSeeds() {
  Random random("pull");
  OpMaker maker(&random);
  Data changes = Data::MakeArray();
  for (int i = 0; i < 8; ++i) changes.Push(ChangeToData(LogSchema(), maker.AnyChange()));
  Data answer = ParseJson(R"({"time":1000,"cursors":{"public":"7@5","team-1":"2@5"},"more":false,
    "own":{"01890000-0000-7000-8000-000000000001":{"public":{"revision":6,"at":3,"gone":[0]}}},
    "known":{"01890000-0000-7000-8000-000000000002":{"public":3}},
    "revoked":["team-2"],"reset":["team-3"],"realmsToken":"x","fills":[
    {"table":"cities","where":["true"],"above":"","upto":"z","realms":["public"],"ids":["01890000-0000-7000-8000-000000000003"]},
    {"realm":"public","revision":3,"at":5,"hash":"0123456789abcdef","bytes":99,"url":"/v1/images/x"}],
    "streams":[{"realm":"public","stream":"chat","revision":7,"actions":[
    {"id":"01890000-0000-7000-8000-000000000007","name":"said","arg":{"text":"a"},"at":5,"madeAt":4,"author":"bo"}]}],
    "streamsFilled":[{"stream":"chat","filled":{"public":7},"from":{"public":2}}]})")
                    .value();
  answer.Set("changes", std::move(changes));
  return {WriteJson(answer)};
}

std::string RunPullAnswer(std::string_view input, bool* taken) {
  const Data event = Data::Object{
      {"status", 200}, {"body", Data::Bytes(std::string(input))}, {"type", "response"}};
  const Answer answer = ReadAnswer(ReadKind<ResponseEvent>(event));
  if (answer.kind != AnswerKind::kOk)
    return answer.error.code.empty() ? "an error without code" : "";
  const Result<PullAnswer> read = ReadPullAnswer(LogSchema(), answer.json);
  if (!read.ok()) return read.status().detail().empty() ? "no detail" : "";
  // Windows can read the record that is folded from the answer.
  Data sync =
      ParseJson(R"({"v":1,"client":"c","n":3,"goneUpTo":0,"cursors":{"public":"1@1"},"seen":{},
    "chain":{"client":"c","links":{}},"older":[],"scopes":[{"table":"cities","where":["true"],"filled":false}],
    "scopeVersion":1,"known":[{"id":"01890000-0000-7000-8000-000000000002","key":4,"realms":{"public":3}}],
    "streams":[{"stream":"chat","last":9,"behind":{"public":0},"asked":3}],
    "refill":[],"recordBytes":0})")
          .value();
  Random random("update");
  Update update = OpMaker(&random).AnyUpdate();
  update.id = TestUuid(1);
  Data stored = Data::MakeObject();
  stored.Set("v", 1).Set("id", update.id).Set("client", "c").Set("state", "sent");
  stored.Set("after", ParseJson(R"({"public":null,"team-1":null})").value());
  stored.Set("mutations", ParseJson(R"([{"id":"m","key":1}])").value());
  stored.Set("confirmed", Data::MakeArray()).Set("revisions", nullptr);
  stored.Set("body", Data::Bytes(WriteJson(UpdateToData(LogSchema(), update))));
  const PullRequest request =
      MakePullRequest(LogSchema(), SyncRecord::Read(sync), {OutboxRecord::Read(stored)}, 100);
  PullFold fold(&LogSchema(), "anna", &request, &read.value(), 1000, 0);
  if (!fold.Decide({OutboxRecord::Read(stored)}, SyncRecord::Read(sync)))
    return "what was asked is not what is there";
  fold.AddMutations(Data::MakeArray());
  for (const Data& write : fold.Finish()) static_cast<void>(EncodeData(write));
  if (!fold.record().has_value()) return "";
  const Result<Vector<Step>> steps = DecodeSteps(LogSchema(), *fold.record()->body);
  if (!steps.ok()) return "a record that windows cannot read: " + steps.status().detail();
  *taken = true;
  return "";
}

Vector<std::string> AnswerSeeds() {
  Vector<std::string> seeds;
  for (
      const char* json :
      {R"({"status":200,"contentType":"application/json","body":"{\"time\":1,\"results\":[]}"})",
       R"({"status":422,"contentType":"application/json","body":"{\"code\":\"invalid\",\"detail\":\"no\"}"})",
       R"({"status":401,"body":"{\"code\":\"unauthenticated\"}"})",
       R"({"status":502,"contentType":"text/html","body":"<html>"})",
       R"({"error":{"name":"timeout","message":"late"}})"})
    seeds.push_back(EncodeData(ParseJson(json).value()));
  return seeds;
}

std::string RunAnswer(std::string_view input, bool* taken) {
  const Result<Data> event = DecodeData(input);
  if (!event.ok()) return "";
  *taken = event.value().is_object();
  const Answer answer = ReadAnswer(ReadKind<ResponseEvent>(event.value()));
  const bool good = answer.kind == AnswerKind::kOk;
  if (good && !answer.json.is_object()) return "an answer that is no object";
  return good || !answer.error.code.empty() ? "" : "an error without code";
}

}  // namespace

void AddLogTargets(Vector<Target>* targets) {
  targets->push_back({"mutation", Form::kBytes, 2500, MutationSeeds, RunMutation});
  targets->push_back({"steps", Form::kBytes, 1500, StepsSeeds, RunSteps});
  targets->push_back({"image", Form::kBytes, 1200, ImageSeeds, RunImage});
  targets->push_back({"update", Form::kJson, 800, UpdateSeeds, RunUpdate});
  targets->push_back({"export", Form::kJson, 800, ExportSeeds, RunExport});
  targets->push_back({"pull-answer", Form::kJson, 600, PullAnswerSeeds, RunPullAnswer});
  targets->push_back({"answer", Form::kData, 1500, AnswerSeeds, RunAnswer});
}

}  // namespace skerry::fuzz
