// StepsWriter: the body of steps that are given one by one (log/codec.h, EncodeSteps): whoever has
// a hundred thousand of them need not hold them all.
#ifndef SKERRY_LOG_STEPS_WRITER_H_
#define SKERRY_LOG_STEPS_WRITER_H_

#include <cstdint>
#include <string>

#include "log/body.h"
#include "log/record.h"
#include "model/schema.h"

namespace skerry {

class StepsWriter {
 public:
  explicit StepsWriter(const Schema& schema) : out_(schema) {}
  void Add(const Step& step);
  // The whole body. Call once.
  std::string Seal() const;

 private:
  BodyWriter out_;
  uint64_t count_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_LOG_STEPS_WRITER_H_
