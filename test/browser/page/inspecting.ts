// The inspector over the page's database, in a script of its own: no other test needs it.
import { defineInspector, type InspectorElement, type InspectorMessages } from 'skerry/elements';
import { type Inspector, type InspectorView, inspect, inspectorLimits } from 'skerry/inspector';

declare global {
  /** Opens an inspector on the page's database: `inspector` from then on. */
  var inspectHere: () => void;
  var inspector: Inspector;
  /** The feed, read now. */
  var readFeed: () => Promise<InspectorView>;
  var inspectorLimit: typeof inspectorLimits;
  /** Adds the element to the page. Resolves when it is defined. */
  var showInspector: (messages?: Partial<InspectorMessages>) => Promise<void>;
  /** What the element has offered to download last. */
  var offered: { readonly file: File; readonly name: string } | null;
}
globalThis.inspectHere = () => {
  globalThis.inspector = inspect(db);
};
globalThis.readFeed = () => inspector.refresh();
globalThis.inspectorLimit = inspectorLimits;
globalThis.offered = null;
globalThis.showInspector = async (messages = {}) => {
  document.querySelector('main')?.remove();
  const element = document.createElement('skerry-inspector') as InspectorElement;
  // It may be set before the element is loaded.
  element.db = db;
  element.addEventListener('skerry-export', (event) => {
    event.preventDefault();
    globalThis.offered = (event as CustomEvent).detail;
  });
  const main = document.createElement('main');
  main.append(Object.assign(document.createElement('h1'), { textContent: 'My lists' }), element);
  document.body.append(main);
  await defineInspector();
  if (Object.keys(messages).length > 0) element.messages = messages;
};
