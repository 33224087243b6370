/** The phase that the status shows, from the first moment on, and when an error is over. */
import { SkerryError } from 'skerry';
import { expect, test, vi } from 'vitest';
import { type App, until } from './support.ts';
import { connect, world } from './sync-world.ts';

// A machine under load takes its time; what never comes is what a test must notice.
vi.setConfig({ testTimeout: 30_000 });

/** The phases that a window goes through from the start, and how many rows there are at each. */
async function phasesOf(db: App): Promise<string[]> {
  const phases: string[] = [];
  const note = () => phases.push(`${db.sync.status.phase} ${db.cities.count()}`);
  note();
  db.sync.subscribe(note);
  await until(() => db.sync.status.phase === 'idle');
  return phases;
}

for (const serviceWorker of [false, true])
  test(`is not idle before it has the server's data (service worker: ${serviceWorker})`, async () => {
    const { host, server } = world();
    server.write([{ op: 'create', table: 'cities', id: 'a', set: { name: 'A', country: 'SE' } }]);
    const phases = await phasesOf(await connect(host, { serviceWorker } as never));
    expect(phases[0]).toBe('opening 0');
    expect(phases.filter((phase) => phase.startsWith('idle'))).not.toContain('idle 0');
    expect(phases.at(-1)).toBe('idle 1');
  });

test('a window waits while the server is unreachable, and is idle afterwards', async () => {
  const { host } = world();
  host.network.online = false;
  const db = await connect(host);
  const phases: string[] = [];
  db.sync.subscribe(({ phase }) => phases.push(phase));
  await until(() => phases.includes('waiting'));
  expect(phases).not.toContain('idle');
  host.network.online = true;
  await until(() => db.sync.status.phase === 'idle');
});

test('an error of the worker is shown until a round has succeeded', async () => {
  const { host } = world();
  const db = await connect(host);
  await db.sync.now();
  const control = db.sync as unknown as { failed(error: Error): void };
  control.failed(new SkerryError('internal', 'by the test'));
  expect(db.sync.status).toMatchObject({ phase: 'blocked', error: { code: 'internal' } });
  await db.sync.now();
  await until(() => db.sync.status.error === null && db.sync.status.phase === 'idle');
});
