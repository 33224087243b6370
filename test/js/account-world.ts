/** What the tests of accounts, files, adoption and a page's life share: databases of several users on one host in memory. */
import { http } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { FakeServer } from './fake-server.ts';
import { type App, fresh } from './support.ts';

const times = { retry: 20, retryMax: 40, idle: 60_000, socketRetry: 20, beat: 50, look: 50 };

export function world(): { host: MemoryHost; server: FakeServer } {
  const host = memory({ workerTimes: times });
  return { host, server: new FakeServer(host.network) };
}

/** A user's database; closed after the test. */
export function connect(host: MemoryHost, user: string, more = {}): Promise<App> {
  const remote = http('http://server.test/v1', { token: async () => `dev:${user}` });
  return local(host, { remote, scopes: 'all', user, ...more });
}

/** Without a user and a server. */
export function local(host: MemoryHost, more = {}): Promise<App> {
  return fresh(host, more);
}
