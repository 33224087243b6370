// Targets of Data and JSON from the application, the server and stored descriptions: the codecs
// themselves, schemas, filters, queries, operations.
#include <utility>

#include "base/json.h"
#include "client/transaction_input.h"
#include "model/filter.h"
#include "model/query.h"
#include "model/row_store.h"
#include "model/schema.h"
#include "test/core/log/log_fixture.h"
#include "test/core/model/test_collator.h"
#include "test/fuzz/target.h"

namespace skerry::fuzz {
namespace {

using test::LogSchema;

std::string Encoded(const char* json) { return EncodeData(ParseJson(json).value()); }

Vector<std::string> DataSeeds() {
  return {Encoded(R"({"a":[1,2.5,-7,null,true,false,"text",{"deep":[[[[]]]]}],"b":{"c":"Åre"}})"),
          EncodeData(Data::Object{{"type", "x"}, {"body", Data::Bytes("\x01\x02")}, {"n", 1e300}})};
}

std::string RunData(std::string_view input, bool* taken) {
  const Result<Data> decoded = DecodeData(input);
  if (!decoded.ok()) return decoded.status().detail().empty() ? "no detail" : "";
  *taken = true;
  const std::string again = EncodeData(decoded.value());
  const Result<Data> twice = DecodeData(again);
  if (!twice.ok() || EncodeData(twice.value()) != again) return "what was read is not written so";
  return "";
}

Vector<std::string> JsonSeeds() {
  return {R"({"a":[1,2.5,-7e3,null,true,false,"te\u00e5xt\n",{"deep":[[[[]]]]}],"b":{"c":"Åre"}})",
          R"([9007199254740993,1e308,5e-324,"\ud83d\ude00",{"$type":"bytes","v":"AAEC"}])"};
}

std::string RunJson(std::string_view input, bool* taken) {
  static_cast<void>(JsonDepth(input));
  const Result<Data> parsed = ParseJson(input);
  if (!parsed.ok()) return "";
  *taken = true;
  const std::string text = WriteJson(parsed.value());
  const Result<Data> again = ParseJson(text);
  return again.ok() && WriteJson(again.value()) == text ? "" : "what was read is not written so";
}

Vector<std::string> SchemaSeeds() { return {LogSchema().description()}; }

std::string RunSchema(std::string_view input, bool* taken) {
  const Result<Data> description = DecodeData(input);
  if (!description.ok()) return "";
  const Result<Schema> schema = Schema::Parse(description.value());
  if (!schema.ok()) return schema.status().detail().empty() ? "no detail" : "";
  *taken = true;
  // An accepted schema can be used.
  for (const TableDef& table : schema.value().tables()) {
    RowStore store(&table);
    std::string bytes;
    store.Save(&bytes);
    for (const BackRef& ref : schema.value().back_refs(table.index)) {
      if (ref.table >= schema.value().tables().size()) return "a ref from no table";
    }
  }
  return "";
}

class NoContext final : public FilterContext {
 public:
  bool Exists(const Filter&, std::string_view, const Row*) const override { return false; }
};

Vector<std::string> FilterSeeds() {
  Vector<std::string> seeds;
  for (const char* json :
       {R"(["true"])",
        R"(["and",["=","name","Åre"],["or",["<","population",5],["not",["in","size",["s","m"]]]]])",
        R"(["like","name","%a_\\%%b%"])", R"([">=","founded",{"$type":"date","v":7}])",
        R"(["!=","flag",{"$type":"bytes","v":"AAEC"}])",
        R"(["and",["=","group",null],["in","id",["01890000-0000-7000-8000-000000000001"]]])",
        R"(["exists","members",["=","points",1],"city"])"})
    seeds.push_back(Encoded(json));
  return seeds;
}

std::string RunFilter(std::string_view input, bool* taken) {
  const Result<Data> data = DecodeData(input);
  if (!data.ok()) return "";
  Random random("rows");
  test::OpMaker maker(&random);
  const NoContext context;
  for (const TableDef& table : LogSchema().tables()) {
    for (const bool exists : {false, true}) {
      const Result<Filter> filter = ParseFilter(LogSchema(), table, data.value(), exists);
      if (!filter.ok()) {
        if (filter.status().detail().empty()) return "no detail";
        continue;
      }
      *taken = true;
      for (int i = 0; i < 3; ++i) {
        const Row row = maker.AnyRow(table.index, "public");
        static_cast<void>(Matches(filter.value(), maker.AnyId(table.index, false), row, &context));
      }
    }
  }
  return "";
}

class Stores final : public Tables {
 public:
  Stores() {
    Random random("stores");
    test::OpMaker maker(&random);
    for (const TableDef& table : LogSchema().tables()) {
      stores_.push_back(std::make_unique<RowStore>(&table));
      for (int i = 0; i < 6; ++i)
        stores_.back()->Put(maker.AnyId(table.index, i > 2), maker.AnyRow(table.index, "public"));
    }
  }
  RowStore& store(TableIndex table) override { return *stores_[table]; }

 private:
  Vector<std::unique_ptr<RowStore>> stores_;
};

Vector<std::string> QuerySeeds() {
  Vector<std::string> seeds;
  for (
      const char* json :
      {R"({"table":"cities","where":["=","name","x"],"order":[["population","desc"],["name","asc","fold"]],"limit":3,"offset":1,"include":[]})",
       R"({"table":"groups","where":null,"order":[],"limit":null,"after":"01890000-0000-7000-8000-000000000001","include":[
          {"name":"cities","kind":"back","table":"cities","prop":"group","query":{"table":"cities","limit":2,"include":[
            {"name":"group","kind":"ref","prop":"group","query":null},
            {"name":"members","kind":"back","table":"members","prop":"city","query":{"order":[["points","asc"]],"limit":1}}]}}]})",
       R"({"table":"members","where":["in","city",{"table":"cities","select":"id","where":["=","capital",true]}]})"})
    seeds.push_back(Encoded(json));
  return seeds;
}

std::string RunQuery(std::string_view input, bool* taken) {
  const Result<Data> data = DecodeData(input);
  if (!data.ok()) return "";
  const Result<Query> query = ParseQuery(LogSchema(), data.value());
  if (!query.ok()) return query.status().detail().empty() ? "no detail" : "";
  *taken = true;
  Stores stores;
  QueryEngine engine(&LogSchema(), &stores);
  Vector<uint32_t> stream;
  engine.Run(query.value(), &stream);
  if (stream.empty() || stream[0] != engine.Count(query.value())) return "another number of rows";
  static_cast<void>(engine.Aggregate(query.value(), AggregateKind::kMax, 0));
  return "";
}

Vector<std::string> OperationSeeds() {
  return {
      Encoded(
          R"(["01890000-0000-7000-8000-000000000001","public",{"name":"Åre","population":4,"info":{"a":[1]},"founded":{"$type":"date","v":5},"size":"m"}])"),
      Encoded(R"(["01890000-0000-7000-8000-000000000001",null,{"population":-1,"visits":2.5}])"),
      Encoded(
          R"([null,"public",{"name":"x","flag":{"$type":"bytes","v":"AAEC"},"price":{"$type":"Money","v":1,"version":1}}])")};
}

std::string RunOperation(std::string_view input, bool* taken) {
  const Result<Data> data = DecodeData(input);
  if (!data.ok()) return "";
  for (const TableDef& table : LogSchema().tables()) {
    for (int number = 0; number < 10; ++number) {
      const std::optional<TxCall> call = TxCallOf(number);
      if (!call) continue;
      OpInput read;
      const Status status = ReadOperation(*call, table, data.value(), &read);
      if (!status.ok() && status.detail().empty()) return "no detail";
      *taken = *taken || status.ok();
    }
  }
  return "";
}

}  // namespace

void AddModelTargets(Vector<Target>* targets) {
  targets->push_back({"data", Form::kData, 3000, DataSeeds, RunData});
  targets->push_back({"json", Form::kJson, 3000, JsonSeeds, RunJson});
  targets->push_back({"schema", Form::kData, 800, SchemaSeeds, RunSchema});
  targets->push_back({"filter", Form::kData, 1500, FilterSeeds, RunFilter});
  targets->push_back({"query", Form::kData, 1000, QuerySeeds, RunQuery});
  targets->push_back({"operation", Form::kData, 1000, OperationSeeds, RunOperation});
}

}  // namespace skerry::fuzz
