// The functions that JavaScript lends to the page's module: all that it imports (js/core/lent.ts).
#ifndef SKERRY_WASM_LENT_H_
#define SKERRY_WASM_LENT_H_

// Declares one, under the name by which it is imported.
#define SKERRY_LENT(name) extern "C" __attribute__((import_module("env"), import_name(#name)))

#endif  // SKERRY_WASM_LENT_H_
