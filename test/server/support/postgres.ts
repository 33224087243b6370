// The PostgreSQL that vitest.config.ts starts for one run of the project `server-postgres`.

import type { TestProject } from 'vitest/node';
import { startCluster } from '../../../tools/lib/cluster.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgres: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster();
  project.provide('postgres', cluster.url);
  return () => cluster.remove();
}
