/**
 * Page: what a window is told about its life. Guarantee: `on` hears every change after it was called, until stopped;
 * `visible` and `online` are the present state.
 */
export type PageEvent =
  | { readonly type: 'visibility'; readonly visible: boolean }
  | { readonly type: 'online'; readonly online: boolean }
  | { readonly type: 'freeze' }
  | { readonly type: 'resume' }
  | { readonly type: 'pagehide'; readonly persisted: boolean }
  | { readonly type: 'pageshow'; readonly persisted: boolean };

export interface Page {
  readonly visible: boolean;
  readonly online: boolean;
  on(fn: (event: PageEvent) => void): () => void;
}

export const browserPage: Page = {
  get visible() {
    return document.visibilityState === 'visible';
  },
  get online() {
    // Engines without the member are taken to be online: attempts tell the truth.
    return navigator.onLine ?? true;
  },
  on(fn) {
    const stops: (() => void)[] = [];
    const listen = (target: EventTarget, name: string, make: (event: Event) => PageEvent) => {
      const handler = (event: Event) => fn(make(event));
      target.addEventListener(name, handler);
      stops.push(() => target.removeEventListener(name, handler));
    };
    const persisted = (event: Event) => (event as PageTransitionEvent).persisted === true;
    listen(document, 'visibilitychange', () => ({
      type: 'visibility',
      visible: browserPage.visible,
    }));
    listen(document, 'freeze', () => ({ type: 'freeze' }));
    listen(document, 'resume', () => ({ type: 'resume' }));
    listen(window, 'online', () => ({ type: 'online', online: true }));
    listen(window, 'offline', () => ({ type: 'online', online: false }));
    listen(window, 'pagehide', (event) => ({ type: 'pagehide', persisted: persisted(event) }));
    listen(window, 'pageshow', (event) => ({ type: 'pageshow', persisted: persisted(event) }));
    return () => {
      for (const stop of stops) stop();
    };
  },
};
