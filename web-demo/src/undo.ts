// Undo and redo of what this window did: two buttons in the head, and the keys that people know.
import type { UserAction } from 'skerry';
import type { Demo } from './database.js';
import { byId } from './dom.js';

/** A field has its own undo. */
const fields = 'input:not([type=checkbox], [type=button]), textarea, select, [contenteditable]';

/** `likeCity`: like city. */
function inWords({ name }: UserAction): string {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

/** ms that a sentence stays. */
const stays = 8_000;

export function wireUndo(demo: Demo): void {
  let end = 0;
  const say = (text: string) => {
    byId('undo-said').textContent = text;
    clearTimeout(end);
    if (text !== '') end = window.setTimeout(() => say(''), stays);
  };
  const wire = (id: string, word: string, keys: string, can: Demo['canUndo'], run: () => void) => {
    const button = byId<HTMLButtonElement>(id);
    const render = () => {
      const what = can.action && inWords(can.action);
      // It keeps the focus when there is nothing left.
      button.setAttribute('aria-disabled', String(what === null));
      button.title = what === null ? `Nothing to ${word}` : `${word}: ${what} (${keys})`;
    };
    can.subscribe(render);
    render();
    button.addEventListener('click', run);
  };
  const take = (word: string, can: Demo['canUndo'], run: Demo['undo']) => {
    const what = can.action && inWords(can.action);
    if (what === null) {
      say(`There is nothing to ${word}.`);
      return;
    }
    try {
      const kept = run.call(demo)?.kept.length ?? 0;
      const others = kept > 0 ? ' What others have changed since stays.' : '';
      say(`${word === 'undo' ? 'Undone' : 'Done again'}: ${what}.${others}`);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  };
  const undo = () => take('undo', demo.canUndo, demo.undo);
  const redo = () => take('redo', demo.canRedo, demo.redo);
  wire('undo', 'undo', 'Ctrl+Z', demo.canUndo, undo);
  wire('redo', 'redo', 'Ctrl+Shift+Z', demo.canRedo, redo);
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase();
    const isAsked =
      (event.ctrlKey || event.metaKey) && !event.altKey && (key === 'z' || key === 'y');
    if (!isAsked || (event.target as Element).matches(fields)) return;
    event.preventDefault();
    if (key === 'y' || event.shiftKey) redo();
    else undo();
  });
}
