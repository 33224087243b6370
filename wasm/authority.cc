// skerry-authority: the server's rules for Node (docs/authority.md). Bindings only: text in, text
// out.
//
// Ownership: JavaScript must delete each handle, and all others before their Authority. bytes() is
// a view of the module's memory.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <memory>
#include <string>
#include <utility>

#include "authority/admission_json.h"
#include "authority/comparing.h"
#include "authority/image_maker.h"
#include "authority/log_forgetting.h"
#include "authority/pull_json.h"
#include "authority/row_data.h"
#include "authority/survey.h"
#include "base/json.h"
#include "model/schema.h"

namespace {

using skerry::Data;
using skerry::Result;
using skerry::Schema;

class Authority {
 public:
  explicit Authority(const std::string& text) {
    Result<Data> description = skerry::ParseJson(text);
    Result<Schema> schema = description.ok() ? Schema::Parse(description.value())
                                             : Result<Schema>(description.status());
    if (schema.ok()) {
      schema_ = std::move(schema.value());
    } else {
      error_ = skerry::WriteJson(skerry::ErrorToData(schema.status())["error"]);
    }
  }
  std::string Error() const { return error_; }
  std::string CheckScopes(const std::string& text) const {
    return skerry::CheckScopes(schema_, text);
  }
  std::string ForgetLog(const std::string& text) const { return skerry::ForgetLogJson(text); }
  std::string Survey(const std::string& text) const { return skerry::SurveyJson(schema_, text); }
  std::string Compare(const std::string& text) const { return skerry::CompareJson(schema_, text); }
  const Schema* schema() const { return &schema_; }

 private:
  Schema schema_;
  std::string error_;
};

class Admission {
 public:
  explicit Admission(const Authority& authority) : session_(authority.schema()) {}
  std::string Step(const std::string& text) { return session_.Step(text); }

 private:
  skerry::AdmissionSession session_;
};

class Pull {
 public:
  explicit Pull(const Authority& authority) : session_(authority.schema()) {}
  std::string Step(const std::string& text) { return session_.Step(text); }

 private:
  skerry::PullSession session_;
};

class ImageMaker {
 public:
  ImageMaker(const Authority& authority, const std::string& realm, double revision, double at)
      : maker_(authority.schema(), std::string(realm), {static_cast<uint64_t>(revision), at}) {}
  std::string Rows(const std::string& text) { return maker_.Rows(text); }
  std::string Finish() { return maker_.FinishJson(); }
  emscripten::val Bytes() const {
    const std::string& bytes = maker_.bytes();
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    return emscripten::val(emscripten::typed_memory_view(bytes.size(), data));
  }

 private:
  skerry::ImageMaker maker_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(skerry_authority) {
  emscripten::class_<Authority>("Authority")
      .constructor<std::string>()
      .function("error", &Authority::Error)
      .function("checkScopes", &Authority::CheckScopes)
      .function("forgetLog", &Authority::ForgetLog)
      .function("survey", &Authority::Survey)
      .function("compare", &Authority::Compare);
  emscripten::class_<Admission>("Admission")
      .constructor<const Authority&>()
      .function("step", &Admission::Step);
  emscripten::class_<Pull>("Pull").constructor<const Authority&>().function("step", &Pull::Step);
  emscripten::class_<ImageMaker>("ImageMaker")
      .constructor<const Authority&, std::string, double, double>()
      .function("rows", &ImageMaker::Rows)
      .function("finish", &ImageMaker::Finish)
      .function("bytes", &ImageMaker::Bytes);
}
