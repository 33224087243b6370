/**
 * `skerry/elements`: custom elements, without a framework. An import defines nothing: call `defineElements()` once, in a window.
 */
import { conflictsElement } from './conflicts.ts';

export type { ConflictSource, ConflictsElement, InfoSource } from './conflicts.ts';
export { type ConflictMessages, english } from './messages.ts';

/** Defines `<skerry-conflicts>`, if it is not defined yet. */
export function defineElements(): void {
  if (customElements.get('skerry-conflicts') === undefined)
    customElements.define('skerry-conflicts', conflictsElement());
}
