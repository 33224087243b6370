/** A PostgreSQL of one's own, in a temporary folder. */
export interface Cluster {
  /** Of its database `postgres`, with the right to make others. */
  readonly url: string;
  /** Starts it again after `stop`; resolves when it takes connections. */
  start(): Promise<void>;
  /** As `pg_ctl stop -m` does. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** What it has printed, the end of it. */
  log(): string;
  /** Stops it, and removes its folder. */
  remove(): Promise<void>;
}

export function startCluster(
  settings?: Readonly<Record<string, string | number>>,
): Promise<Cluster>;
