// Goal: whatever releases have run on a database, in whatever order and side by side, every client, /v1/tables and
// SQL have the same value of every prop. Method: random sequences of deployments (newer ones, a release that is taken
// back, two nodes of two releases if the database allows it) and of changes by profiles with the real package in
// several releases; in the end all are updated and compared. SKERRY_RELEASE_SEEDS=100 runs more;
// SKERRY_RELEASE_SEED=7,14 runs these.

import { afterEach, expect, test } from 'vitest';
import { random } from './support/random.ts';
import { Deployment, known, newest, Profile, tablesOf } from './support/releases.ts';

const kProfiles = 4;
const kMostSteps = 30;

const values: Readonly<Record<string, (n: number) => unknown>> = {
  string: (n) => `text ${n}`,
  number: (n) => n % 7,
  boolean: (n) => n % 2 === 0,
  date: (n) => new Date(1_700_000_000_000 + n),
  enum: (n) => ['red', 'green', 'blue'][n % 3],
  json: (n) => ({ n }),
};

class Run {
  readonly deployment = new Deployment();
  readonly profiles: Profile[] = [];
  readonly log: string[] = [];
  /** Short sequences leave profiles that have missed a release. */
  readonly steps: number;
  readonly #next: (below: number) => number;
  #served = 0;
  #made = 0;

  constructor(seed: number) {
    this.#next = random(seed);
    this.steps = 8 + this.#next(kMostSteps - 8);
  }

  async start(): Promise<void> {
    await this.deploy(1 + this.#next(2), 0);
    for (let i = 0; i < kProfiles; i++) {
      const profile = new Profile(this.deployment, this.deployment.user);
      this.profiles.push(await profile.open(1 + this.#next(this.#served)));
    }
  }

  async deploy(release: number, place: number): Promise<void> {
    this.log.push(`deploy ${release} at ${place}`);
    await this.deployment.deploy(release, place);
    this.#served = Math.max(this.#served, release);
  }

  async step(): Promise<void> {
    const profile = this.profiles[this.#next(kProfiles)] as Profile;
    const kind = this.#next(20);
    if (kind < 2) {
      // The next release, the same one again, or one that is taken back.
      const release = Math.min(newest, 1 + this.#next(this.#served + 1));
      await this.deploy(release, this.#next(Deployment.places));
    } else if (kind === 2) {
      await this.upgrade(profile, profile.release + this.#next(newest));
    } else if (kind < 9) {
      await this.sync(profile);
    } else {
      this.change(profile);
    }
  }

  /** Only to a release that was served: a client that is newer than its server waits. */
  async upgrade(profile: Profile, release: number): Promise<void> {
    const next = Math.min(release, this.#served);
    this.log.push(`profile ${this.profiles.indexOf(profile)} to ${next}`);
    await profile.open(next);
  }

  async sync(profile: Profile): Promise<void> {
    this.log.push(`profile ${this.profiles.indexOf(profile)} syncs`);
    try {
      await profile.db.sync.waitForSync({ timeoutMs: 20_000 });
    } catch (error) {
      throw new Error(
        `${String(error)} ${JSON.stringify(profile.db.sync.status)}\n${this.log.join('\n')}`,
      );
    }
  }

  change(profile: Profile): void {
    const tables = tablesOf(profile.release);
    const { name, props } = tables[this.#next(tables.length)] as (typeof tables)[0];
    const ids = Object.keys(profile.rows()[name] ?? {});
    const id = ids[this.#next(Math.max(1, ids.length))];
    const prop = props[this.#next(props.length)] as (typeof props)[0];
    const value = values[prop.type]?.(this.#next(1000));
    const kind = this.#next(10);
    this.log.push(
      `profile ${this.profiles.indexOf(profile)} changes ${name}/${id}: ${kind} ${prop.name}`,
    );
    profile.db.transact((tx) => {
      const rows = tx[name];
      if (rows === undefined) throw new Error(`no table ${name}`);
      if (id === undefined || kind < 3) {
        const made = `row-${this.#made++}`;
        const text = name === 'todos' ? { text: 'new' } : {};
        rows.create({ id: made, ...text, ...(kind < 2 ? { [prop.name]: value } : {}) });
      } else if (kind === 3) rows.delete(id);
      else if (prop.type === 'number' && kind < 8) rows.inc(id, { [prop.name]: 1 + this.#next(3) });
      else rows.update(id, { [prop.name]: value });
    });
  }

  /** Brings all changes to every profile. */
  async settle(): Promise<void> {
    for (let round = 0; round < 2; round++)
      for (const profile of this.profiles) await this.sync(profile);
  }

  async agree(): Promise<void> {
    const stated = await this.deployment.plainTables(newest);
    for (const [i, profile] of this.profiles.entries()) {
      const found = profile.rows();
      expect(found, `profile ${i}\n${this.log.join('\n')}`).toEqual(known(stated, profile.release));
    }
  }

  async end(): Promise<void> {
    await this.deploy(newest, 0);
    // Some open only now, in the newest release.
    for (const profile of this.profiles) {
      if (this.#next(3) === 0) await this.upgrade(profile, newest);
    }
    // Clients of all releases agree on the props that they know, before and after they are updated.
    await this.settle();
    await this.agree();
    for (const profile of this.profiles) await this.upgrade(profile, newest);
    const fresh = new Profile(this.deployment, this.deployment.user);
    this.profiles.push(await fresh.open(newest));
    await this.settle();
    await this.agree();
    const stated = await this.deployment.plainTables(newest);
    await this.close();
    expect(await this.deployment.sqlRows(newest)).toEqual(stated);
  }

  async close(): Promise<void> {
    for (const profile of this.profiles) await profile.close();
    for (const place of this.deployment.nodes.keys()) await this.deployment.stop(place);
  }
}

let run: Run | undefined;
afterEach(async () => {
  await run?.close();
  await run?.deployment.remove();
  run = undefined;
});

const kQuick = [7, 28, 1, 14];
const { SKERRY_RELEASE_SEED: one, SKERRY_RELEASE_SEEDS: count } = process.env;
const seeds = one
  ? one.split(',').map(Number)
  : count
    ? Array.from({ length: Number(count) }, (_, i) => i + 1)
    : // On two nodes, 7 and 28 have a profile that sleeps through a change of a default.
      kQuick.slice(0, Deployment.places > 1 ? 4 : 1);

test.each(seeds)(
  'clients, /v1/tables and SQL agree after any sequence of releases, seed %i',
  async (seed) => {
    run = new Run(seed);
    await run.start();
    for (let i = 0; i < run.steps; i++) await run.step();
    await run.end();
  },
);
