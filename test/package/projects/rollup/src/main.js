import { startNotes } from './notes.js';

startNotes(document.querySelector('main'));
