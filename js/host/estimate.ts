/** What the browser says of the storage of the whole site. Null: nothing, in this engine or outside of a browser. */
export interface StorageEstimated {
  readonly usage: number | null;
  readonly quota: number | null;
  readonly persisted: boolean | null;
}

const unknown: StorageEstimated = { usage: null, quota: null, persisted: null };

export async function estimateStorage(): Promise<StorageEstimated> {
  const manager = globalThis.navigator?.storage;
  // Only a secure context has it.
  if (!manager?.estimate) return unknown;
  const [{ usage = null, quota = null }, persisted] = await Promise.all([
    manager.estimate(),
    manager.persisted(),
  ]);
  return { usage, quota, persisted };
}
