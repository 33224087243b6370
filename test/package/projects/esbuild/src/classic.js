// A classic script has no address of its own, so it says where it keeps what the package loads.
import { startNotes } from './notes.js';

startNotes(document.querySelector('main'), {
  wasmUrl: new URL('/skerry/skerry.wasm', location.href),
  workerUrl: new URL('/skerry/worker.js', location.href),
});
