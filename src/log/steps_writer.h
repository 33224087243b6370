// StepsWriter: writes the body of steps that are added one by one (log/codec.h, EncodeSteps). So
// the caller need not hold all of them, of which there may be a hundred thousand.
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
  // Returns the whole body. Call once.
  std::string Finish() const;

 private:
  BodyWriter out_;
  uint64_t count_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_LOG_STEPS_WRITER_H_
