set(SKERRY_WASM_SOURCES wasm/skerry.cc wasm/worker_bindings.cc wasm/page_runtime.cc wasm/collate.cc)
