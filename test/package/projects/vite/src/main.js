import { startNotes } from './notes.js';

const root = document.querySelector('main');
// The address says whether a service worker is to push.
await startNotes(root, { serviceWorker: location.search === '?service' });
