// The switch that freezes this window's push worker, as a browser freezes a page that was long in the background: the
// worker stops between two steps, keeps its Web Lock and its lease, and renews it no more. Another window takes over.
import { freezeWorker as freeze } from 'skerry/testing';
import type { Demo } from './database.js';

export function freezeWorker(demo: Demo, frozen: boolean): void {
  freeze(demo, frozen);
}
