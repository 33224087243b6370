// Angular's build copies the package's files as assets: it is told where.
import { startNotes } from './notes.js';

startNotes(document.querySelector('main'), {
  wasmUrl: new URL('/skerry/skerry.wasm', location.href),
  workerUrl: new URL('/skerry/worker.js', location.href),
});
