/**
 * Page: the events of a window's life. Guarantee: `on` hears every change after it was called, until stopped;
 * `visible` and `online` are the current state. After `freeze` and `pagehide` comes `still`, in the same
 * task, behind the application's own handlers: nothing runs after it until `resume` or `pageshow`.
 */
export type PageEvent =
  | { readonly type: 'visibility'; readonly visible: boolean }
  | { readonly type: 'online'; readonly online: boolean }
  | { readonly type: 'freeze' }
  | { readonly type: 'still' }
  | { readonly type: 'resume' }
  | { readonly type: 'pagehide'; readonly persisted: boolean }
  | { readonly type: 'pageshow'; readonly persisted: boolean };

export interface PageHost {
  readonly visible: boolean;
  readonly online: boolean;
  on(fn: (event: PageEvent) => void): () => void;
}

export const browserPage: PageHost = {
  get visible() {
    return document.visibilityState === 'visible';
  },
  get online() {
    // Engines without the member count as online: attempts show the truth.
    return navigator.onLine ?? true;
  },
  on(fn) {
    const stops: (() => void)[] = [];
    const listen = (
      target: EventTarget,
      name: string,
      handler: (event: Event) => void,
      capture = false,
    ) => {
      target.addEventListener(name, handler, { capture });
      stops.push(() => target.removeEventListener(name, handler, { capture }));
    };
    const persisted = (event: Event) => (event as PageTransitionEvent).persisted === true;
    // Listeners that are added while an event is captured come last of those that it bubbles to.
    const still = () => fn({ type: 'still' });
    const stillAfter = (target: EventTarget, name: string) => {
      target.addEventListener(name, still, { once: true });
      stops.push(() => target.removeEventListener(name, still));
    };
    listen(document, 'visibilitychange', () =>
      fn({ type: 'visibility', visible: browserPage.visible }),
    );
    listen(
      document,
      'freeze',
      () => {
        stillAfter(document, 'freeze');
        fn({ type: 'freeze' });
      },
      true,
    );
    listen(document, 'resume', () => fn({ type: 'resume' }));
    listen(window, 'online', () => fn({ type: 'online', online: true }));
    listen(window, 'offline', () => fn({ type: 'online', online: false }));
    listen(
      window,
      'pagehide',
      (event) => {
        // The events that follow: a visible page becomes hidden, and Chromium then freezes a page that it caches.
        const freezes = persisted(event) && 'onfreeze' in document;
        if (!freezes) stillAfter(window, browserPage.visible ? 'visibilitychange' : 'pagehide');
        fn({ type: 'pagehide', persisted: persisted(event) });
      },
      true,
    );
    listen(window, 'pageshow', (event) => fn({ type: 'pageshow', persisted: persisted(event) }));
    return () => {
      for (const stop of stops.splice(0)) stop();
    };
  },
};
