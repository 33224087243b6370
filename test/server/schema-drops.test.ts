// Goal: whatever tables and props the releases of an application drop and bring back, every value that a user has given is
// in a row, or in the inbox with its content; and once a release has a place for all of it, in a row. Method: random
// sequences of releases, of which each has some of the tables and props; profiles of several users in several releases,
// online and offline, that give each prop of each row a value once. SKERRY_DROP_SEED=7,14 runs these.

import { schema, t, table } from 'skerry';
import { afterEach, expect, test, vi } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { random } from './support/random.ts';
import { Deployment, Profile, tablesOf } from './support/releases.ts';

const kReleases = 7;
const kSteps = 30;
const kProfiles = 3;

const props = {
  text: () => t.string().optional(),
  count: () => t.number().default(0),
  when: () => t.date().optional(),
  data: () => t.json<unknown>().optional(),
} as const;
type Prop = keyof typeof props;
const names: readonly Prop[] = ['text', 'count', 'when', 'data'];

const values: Readonly<Record<Prop, (n: number) => unknown>> = {
  text: (n) => `text ${n}`,
  count: (n) => n,
  when: (n) => new Date(1_700_000_000_000 + n),
  data: (n) => ({ n }),
};

/** Version `version`, with some of the tables and props; the first and the last have all. */
function release(version: number, next: (below: number) => number) {
  const isWhole = version === 1 || version === kReleases;
  const has = () => isWhole || next(3) > 0;
  const of = () => {
    const some = names.filter(has);
    return Object.fromEntries(
      (some.length > 0 ? some : names).map((name) => [name, props[name]()]),
    );
  };
  const tables = ['a', 'b', 'c'].filter((name) => name === 'a' || has());
  const accepts = Array.from({ length: version - 1 }, (_, i) => i + 1);
  return schema(Object.fromEntries(tables.map((name) => [name, table(of(), { id: t.string() })])), {
    version,
    accepts,
  });
}

interface Given {
  readonly user: number;
  readonly table: string;
  readonly id: string;
  readonly prop: string;
  readonly value: unknown;
}

const plain = (value: unknown) =>
  JSON.stringify(value instanceof Date ? value.getTime() : (value ?? null));

class Run {
  readonly deployment: Deployment;
  readonly profiles: Profile[] = [];
  readonly given: Given[] = [];
  readonly log: string[] = [];
  readonly #schemas: readonly unknown[];
  readonly #next: (below: number) => number;
  #served = 1;
  #made = 0;

  constructor(seed: number) {
    this.#next = random(seed);
    this.#schemas = Array.from({ length: kReleases }, (_, i) => release(i + 1, this.#next));
    this.deployment = new Deployment(this.#schemas);
  }

  async run(): Promise<void> {
    await this.deployment.deploy(1);
    for (let i = 0; i < kProfiles; i++)
      this.profiles.push(await new Profile(this.deployment, `user-${i}`).open(1));
    for (let i = 0; i < kSteps; i++) await this.step();
    await this.deploy(kReleases - 1);
    for (const profile of this.profiles) await this.sync(profile);
    await this.settled('in the releases before');
    await this.deploy(kReleases);
    for (const profile of this.profiles) {
      await profile.open(kReleases);
      await this.sync(profile);
    }
    await this.settled('in the last release');
    for (const profile of this.profiles) {
      for (const { id } of profile.db.conflicts.all()) {
        if (profile.db.conflicts.all().some((entry) => entry.id === id))
          await profile.db.conflicts.resolve(id, 'retry');
      }
      await this.sync(profile);
      await expect.poll(() => profile.db.conflicts.all()).toEqual([]);
    }
    await this.settled('after all was made again');
  }

  async step(): Promise<void> {
    const place = this.#next(kProfiles);
    const profile = this.profiles[place] as Profile;
    const kind = this.#next(16);
    if (kind < 2 && this.#served < kReleases - 1) {
      await this.deploy(this.#served + 1);
    } else if (kind < 4) {
      const to = Math.min(this.#served, profile.release + 1 + this.#next(2));
      this.log.push(`profile ${place} to ${to}`);
      await profile.open(to);
    } else if (kind < 6) {
      profile.offline = !profile.offline;
      this.log.push(`profile ${place} ${profile.offline ? 'offline' : 'online'}`);
    } else if (kind < 8 && !profile.offline) {
      await this.sync(profile);
    } else {
      await this.change(profile, place);
    }
  }

  async deploy(to: number): Promise<void> {
    this.log.push(`deploy ${to}: ${JSON.stringify(tablesOf(to, this.#schemas).map(named))}`);
    this.#served = to;
    await this.deployment.deploy(to);
  }

  async sync(profile: Profile): Promise<void> {
    this.log.push(`profile ${this.profiles.indexOf(profile)} syncs`);
    profile.offline = false;
    await profile.db.sync.waitForSync({ timeoutMs: 30_000 });
  }

  /** Makes a row, or gives props of one that have no value yet; in one of several tables at once. */
  async change(profile: Profile, user: number): Promise<void> {
    const tables = tablesOf(profile.release, this.#schemas);
    const shown = profile.rows();
    await profile.db.transact((tx) => {
      for (const { name, props: all } of tables) {
        if (this.#next(2) === 0) continue;
        const ids = Object.keys(shown[name] ?? {});
        const old = ids[this.#next(ids.length + 1)];
        const id = old ?? `row-${this.#made++}`;
        const patch: Record<string, unknown> = {};
        for (const { name: prop } of all) {
          const has = this.given.some((one) => one.id === id && one.prop === prop);
          if (has || this.#next(2) === 0) continue;
          patch[prop] = values[prop as Prop](1 + this.#made++);
        }
        for (const [prop, value] of Object.entries(patch))
          this.given.push({ user, table: name, id, prop, value });
        if (old === undefined) tx[name]?.create({ id, ...patch });
        else if (Object.keys(patch).length > 0) tx[name]?.update(id, patch);
        this.log.push(`profile ${user} changes ${name}/${id}: ${JSON.stringify(patch)}`);
      }
    }).durable;
  }

  /** Windows are notified of what is in the inbox after the transaction that put it there. */
  settled(when: string): Promise<void> {
    return vi.waitFor(() => this.check(when), { timeout: 5_000 });
  }

  /** Each value is in a row of its user's, or in the inbox; where the release lacks its place, the inbox or the server has it. */
  check(when: string): void {
    for (const { user, table: name, id, prop, value } of this.given) {
      const profile = this.profiles[user] as Profile;
      const isKnown = tablesOf(profile.release, this.#schemas).some(
        (one) => one.name === name && one.props.some((known) => known.name === prop),
      );
      const row = profile.rows()[name]?.[id]?.[prop];
      const inRow = plain(row) === plain(value);
      const inInbox = profile.db.conflicts
        .all()
        .filter((entry) => entry.table === name && entry.key === id)
        .filter((entry) => plain(entry.mine?.[prop]) === plain(value)).length;
      const place = `${when}: ${name}/${id}.${prop} = ${plain(value)} of profile ${user}, release ${profile.release}`;
      const story = () => `${place}; row ${plain(row)}, inbox ${inInbox}\n${this.log.join('\n')}`;
      if (inInbox > 1 || (inRow && inInbox > 0) || (isKnown && !inRow && inInbox === 0))
        throw new Error(story());
    }
  }

  async close(): Promise<void> {
    for (const profile of this.profiles) await profile.close();
    await this.deployment.remove();
  }
}

function named({ name, props: all }: ReturnType<typeof tablesOf>[0]): string {
  return `${name}(${all.map((prop) => prop.name).join(' ')})`;
}

let run: Run | undefined;
afterEach(async () => {
  await run?.close();
  run = undefined;
});

const { SKERRY_DROP_SEED: one } = process.env;
const seeds = one
  ? one.split(',').map(Number)
  : Array.from({ length: rounds(30, 2) }, (_, i) => i + 1);

test.each(seeds)(
  'every value is in a row or in the inbox, through any releases, seed %i',
  async (seed) => {
    run = new Run(seed);
    await run.run();
  },
);
