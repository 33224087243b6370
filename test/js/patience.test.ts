/** The limits of tests on a slow machine (test/support/patience.ts). */
import { execFile } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { patience, slowness } from '../support/patience.ts';

test('limits are as on an idle machine at least, and eight times as long at most', () => {
  expect(slowness).toBeGreaterThanOrEqual(1);
  expect(slowness).toBeLessThanOrEqual(8);
  expect(patience(1000)).toBe(Math.round(1000 * slowness));
});

test('processes of a run wait as long as it found necessary at its start', async () => {
  vi.resetModules();
  vi.stubEnv('SKERRY_TEST_PATIENCE', '6');
  const slow = await import('../support/patience.ts');
  expect(slow.slowness).toBeGreaterThanOrEqual(6);
  vi.stubEnv('SKERRY_TEST_PATIENCE', '60');
  vi.resetModules();
  expect((await import('../support/patience.ts')).slowness).toBe(8);
  vi.unstubAllEnvs();
});

test('a limit that a test names is longer, too', async () => {
  const begin = performance.now();
  await expect(expect.poll(() => 1, { timeout: 100, interval: 5 }).toBe(2)).rejects.toThrow();
  expect(performance.now() - begin).toBeGreaterThanOrEqual(patience(100) - 10);
});

test('a busy machine is found to be slow', async () => {
  // More busy loops than processors: each process has a part of one.
  const { availableParallelism } = await import('node:os');
  const busy = Array.from({ length: availableParallelism() * 3 }, () =>
    execFile(process.execPath, ['-e', 'for (;;);']),
  );
  try {
    await Promise.all(busy.map((child) => new Promise((done) => child.once('spawn', done))));
    vi.resetModules();
    vi.stubEnv('SKERRY_TEST_PATIENCE', '');
    await vi.waitFor(async () => {
      vi.resetModules();
      expect((await import('../support/patience.ts')).slowness).toBeGreaterThan(1.5);
    });
  } finally {
    for (const child of busy) child.kill('SIGKILL');
    vi.unstubAllEnvs();
  }
});
