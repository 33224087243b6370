// Declares the host functions that a module without glue imports. js/core/imports.ts has all of
// them.
#ifndef SKERRY_WASM_IMPORTS_H_
#define SKERRY_WASM_IMPORTS_H_

// Declares a host function under the name by which it is imported.
#define SKERRY_IMPORT(name) extern "C" __attribute__((import_module("env"), import_name(#name)))

#endif  // SKERRY_WASM_IMPORTS_H_
