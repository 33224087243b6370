/**
 * The API of a window under random use, held against a naive model: several windows of two users, called in any order, twice, at
 * once and between two awaits, while pages freeze and storage, network, server and workers fail. What each promise must do, what
 * each subscriber must have heard, what the status must say, and what must be gone in the end stands in test/js/model.
 *
 * SKERRY_MODEL_SEED=7 runs that seed alone and prints its steps; SKERRY_MODEL_SEEDS=5000 runs as many.
 */
import { http } from 'skerry';
import { memory } from 'skerry/testing';
import { beforeAll, expect, test, vi } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { run } from './model/run.ts';
import { openApp } from './support.ts';

const one = process.env['SKERRY_MODEL_SEED'];
const seeds = Number(process.env['SKERRY_MODEL_SEEDS'] ?? 250);

/** The modules are read from disk, which takes time of its own, and later kept: no run must be the first. */
beforeAll(async () => {
  const host = memory();
  const server = new FakeServer(host.network);
  const db = await openApp(host, {
    remote: http('http://server.test/v1'),
    scopes: 'all',
    defaultRealm: 'public',
  });
  await db.sync.now();
  await db.close();
  expect(server.paths()).toContain('/v1/pull');
});

vi.setConfig({ testTimeout: 3_600_000 });

test('random calls in any order neither hang nor lose nor misreport anything', async () => {
  const chosen = one === undefined ? Array.from({ length: seeds }, (_, i) => i + 1) : [Number(one)];
  const failed: string[] = [];
  for (const seed of chosen) {
    const { problems, trace } = await run(seed);
    if (one !== undefined) console.log(trace.join('\n'));
    if (problems.length === 0) continue;
    failed.push(`SKERRY_MODEL_SEED=${seed}: ${problems.slice(0, 3).join('\n  ')}`);
    if (failed.length >= 3) break;
  }
  expect(failed).toEqual([]);
});
