/**
 * What a tab keeps while its page is loaded again: `sessionStorage`. It is small, and the user may have forbidden it: what cannot
 * be kept is logged, and never thrown.
 */
export interface SessionHost {
  /** What is kept under this key, and is no more; null: nothing. */
  take(key: string): string | null;
  /** In place of what was kept there. Returns whether it is kept; if not, nothing is. */
  keep(key: string, text: string): boolean;
}

/** Even to name it throws where it is blocked. */
function guarded<T>(use: (storage: Storage) => T, otherwise: T): T {
  try {
    return use(sessionStorage);
  } catch (error) {
    console.warn('skerry: sessionStorage:', error);
    return otherwise;
  }
}

export const browserSession: SessionHost = {
  take: (key) =>
    guarded((storage) => {
      const text = storage.getItem(key);
      storage.removeItem(key);
      return text;
    }, null),
  keep: (key, text) =>
    guarded((storage) => {
      // If there is no room, what was kept before is out of date.
      storage.removeItem(key);
      storage.setItem(key, text);
      return true;
    }, false),
};
