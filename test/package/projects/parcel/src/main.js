// Parcel makes scripts of its own of the files that the package loads by their addresses: so it is told where copies are.
import { startNotes } from './notes.js';

startNotes(document.querySelector('main'), {
  wasmUrl: new URL('/skerry/skerry.wasm', location.href),
  workerUrl: new URL('/skerry/worker.js', location.href),
});
