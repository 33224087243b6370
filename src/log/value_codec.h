// Values as bytes, in bodies and images:
//   value = %x00                null
//         | %x01 u8             boolean
//         | %x02 f64le          number
//         | %x03 text           string
//         | %x04 f64le          date, in milliseconds
//         | %x05 text           bytes
//         | %x06 text           JSON
//   text  = varint-length, then as many bytes
#ifndef SKERRY_LOG_VALUE_CODEC_H_
#define SKERRY_LOG_VALUE_CODEC_H_

#include <string>

#include "base/bytes.h"
#include "model/value.h"

namespace skerry {

void PutValue(const Value& value, std::string* out);
// Fails the reader on malformed bytes. The caller checks whether the value fits its prop.
Value TakeValue(Reader* in);

}  // namespace skerry

#endif  // SKERRY_LOG_VALUE_CODEC_H_
