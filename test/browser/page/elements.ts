// <skerry-conflicts> over the page's database, in a script of its own: no other test needs it.
import { type ConflictMessages, type ConflictsElement, defineElements } from 'skerry/elements';

declare global {
  var showConflicts: (messages?: Partial<ConflictMessages>) => void;
}
globalThis.showConflicts = (messages = {}) => {
  defineElements();
  const inbox = document.createElement('skerry-conflicts') as ConflictsElement;
  inbox.db = db;
  inbox.messages = messages;
  document.querySelector('main')?.remove();
  const main = document.createElement('main');
  main.append(Object.assign(document.createElement('h1'), { textContent: 'My lists' }));
  main.append(Object.assign(document.createElement('h2'), { textContent: 'To decide' }), inbox);
  document.body.append(main);
};
