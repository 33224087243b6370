/** What tests of the sync worker with its host stand on: short times, and a server in memory. */
import { http, type OpenOptions } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { patience } from '../support/patience.ts';
import { FakeServer } from './fake-server.ts';
import { type App, fresh } from './support.ts';

const times = {
  beat: 50,
  look: 50,
  timeout: patience(250),
  retry: 20,
  retryMax: 40,
  idle: 60_000,
  socketRetry: 20,
};

/** A browser in memory, and a server for its sync workers. */
export function world(): { host: MemoryHost; server: FakeServer } {
  const host = memory({ workerTimes: times });
  return { host, server: new FakeServer(host.network) };
}
export type More = Partial<Pick<OpenOptions<never, never>, 'remote' | 'user' | 'onUpdateNeeded'>>;
export function connect(host: MemoryHost, more: More = {}): Promise<App> {
  return fresh(host, {
    remote: http('http://server.test/v1'),
    scopes: 'all',
    defaultRealm: 'public',
    ...more,
  });
}
