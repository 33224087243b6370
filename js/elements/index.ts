/**
 * `skerry/elements`: custom elements, without a framework. An import defines nothing: call `defineElements()` once, in a window, or
 * `defineInspector()`, which loads its element first.
 */
import { conflictsElement } from './conflicts.ts';

export type { ConflictSource, ConflictsElement, InfoSource } from './conflicts.ts';
export type { InspectorElement } from './inspector/element.ts';
export type { InspectorMessages } from './inspector/messages.ts';
export { type ConflictMessages, english } from './messages.ts';

/** Defines `<skerry-conflicts>`, if it is not defined yet. */
export function defineElements(): void {
  if (customElements.get('skerry-conflicts') === undefined)
    customElements.define('skerry-conflicts', conflictsElement());
}

/** Loads and defines `<skerry-inspector>`, if it is not defined yet. */
export async function defineInspector(): Promise<void> {
  const { inspectorElement } = await import('./inspector/element.ts');
  if (customElements.get('skerry-inspector') === undefined)
    customElements.define('skerry-inspector', inspectorElement());
}
