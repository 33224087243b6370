// The effects that windows and sync workers have in common (docs/internals.md, sections 4 and 5).
// TransactEffect is in log/transaction_builder.h.
#ifndef SKERRY_LOG_EFFECT_H_
#define SKERRY_LOG_EFFECT_H_

#include <cstdint>

#include "base/data.h"

namespace skerry {

// The replies to a ReadEvent. `writes` and `reads` are lists.
Data WriteEffect(uint64_t id, Data writes);
Data MoreEffect(uint64_t id, Data reads);  // another round of reads
Data AbortEffect(uint64_t id);

Data TimerEffect(const char* name, double delay_ms);  // replaces a timer of that name
Data CancelEffect(const char* name);
Data BroadcastEffect(Data message);
Data PostEffect(Data message);

}  // namespace skerry

#endif  // SKERRY_LOG_EFFECT_H_
