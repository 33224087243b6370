/** A separate PostgreSQL, in a temporary folder. */
export interface Cluster {
  /** The URL of its database `postgres`, with the right to create databases. */
  readonly url: string;
  /** Starts it again after `stop`; resolves when it takes connections. */
  start(): Promise<void>;
  /** As `pg_ctl stop -m` does. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** The end of its printed output. */
  log(): string;
  /** Stops it, and removes its folder. */
  remove(): Promise<void>;
}

export function startCluster(
  settings?: Readonly<Record<string, string | number>>,
): Promise<Cluster>;
