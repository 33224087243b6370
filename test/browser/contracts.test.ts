// Goal: the hosts keep their contracts in a real Chromium: IndexedDB, BroadcastChannel, timers, clock, random, Web
// Locks, fetch and WebSocket, in a window and in a dedicated Worker. Method: the suites of test/contract, which the
// memory hosts pass, too.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserContracts } from './page/contracts.ts';
import type { Contracts } from './page/contracts-page.ts';
import { Profile } from './support/browser.ts';
import { type EchoServer, startEchoServer } from './support/echo-server.ts';
import { buildContracts } from './support/site.ts';

declare global {
  // Set by page/contracts-page.ts.
  var contracts: Contracts;
}

const LIMIT_MS = 30_000;
const names = browserContracts({ base: '', nowhere: '' }).map(({ name }) => name);

let site: Awaited<ReturnType<typeof buildContracts>>;
let server: EchoServer;
let page: Page;
const profile = new Profile();

beforeAll(async () => {
  site = await buildContracts();
  server = await startEchoServer(site.folder);
  page = await profile.window({ url: server.base, unready: true });
});

afterAll(async () => {
  await profile.remove();
  await server?.close();
  site?.remove();
});

const addresses = () => ({ base: server.base, nowhere: server.nowhere });

describe('hosts keep their contracts in a window of Chromium', () => {
  test.each(names)('%s', { timeout: LIMIT_MS }, async (name) => {
    const problem = await page.evaluate(
      (where, which) => contracts.inWindow(where, which),
      addresses(),
      name,
    );
    expect(problem).toBeNull();
  });
});

describe('hosts keep their contracts in a dedicated Worker of Chromium', () => {
  test.each(names)('%s', { timeout: LIMIT_MS }, async (name) => {
    const problem = await page.evaluate(
      (where, which) => contracts.inWorker(where, which),
      addresses(),
      name,
    );
    expect(problem).toBeNull();
  });
});
