/**
 * `skerry/inspector`: what the core of an open database knows, as a feed of plain data (docs/guide/inspector.md). An import does nothing, and
 * a page that does not import it has nothing of it. `<skerry-inspector>` (`skerry/elements`) shows the feed.
 */
import type { AnyDatabase } from '../api/database.ts';
import type { DatabaseCore } from '../api/database-core.ts';
import { inspected } from '../api/inspected.ts';
import { Feed } from './feed.ts';
import type { InspectorView } from './view.ts';

export { inspectorLimits } from './limits.ts';
export * from './view.ts';

/** An open database, of whatever tables. */
export type InspectSource = Pick<AnyDatabase, 'name' | 'user' | 'sync' | 'export'>;

export interface Inspector {
  /** The last one: the same object until something has changed. */
  readonly view: InspectorView;
  /** Calls `fn` after each change, at most some times a second, until it is stopped. */
  subscribe(fn: (view: InspectorView) => void): () => void;
  /** Reads now. Resolves with a view that has all that was stored before. */
  refresh(): Promise<InspectorView>;
  /** Nothing more is collected, by this window or a worker, once the last inspector is closed. */
  close(): void;
}

const feeds = new WeakMap<DatabaseCore, Feed>();

/** Opens an inspector on a database. What happened before is not known to it, but what is stored is. */
export function inspect(db: InspectSource): Inspector {
  const core = (db as Partial<Record<typeof inspected, DatabaseCore>>)[inspected];
  // The package's own errors are not loaded a second time for it.
  if (!core) throw new TypeError('inspect() takes what open() has given.');
  const running = feeds.get(core);
  const feed = running?.isRunning ? running : new Feed(core);
  feeds.set(core, feed);
  const listeners = new Set<() => void>();
  // Runs the feed, also while nothing has subscribed.
  listeners.add(feed.add(() => {}));
  return {
    get view() {
      return feed.view;
    },
    subscribe(fn) {
      if (listeners.size === 0) return () => {};
      const stop = feed.add(fn);
      listeners.add(stop);
      return () => {
        listeners.delete(stop);
        stop();
      };
    },
    async refresh() {
      if (listeners.size > 0) await feed.read();
      return feed.view;
    },
    close() {
      for (const stop of listeners) stop();
      listeners.clear();
    },
  };
}
