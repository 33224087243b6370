// Goal: whatever the releases of an application rename, and back again, every value that a client has set under any of the
// names is there under all of them, once. Method: random sequences of releases that rename tables and props, and move
// props; profiles of one user in several releases, online and offline, that set each prop of a row once and add to a
// number, while the server goes on. SKERRY_RENAME_SEED=7,14 runs these.

import { type Migration, schema, t, table } from 'skerry';
import { afterEach, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { type Random, random } from './support/random.ts';
import { Deployment, Profile } from './support/releases.ts';

const kReleases = 6;
const kSteps = 40;
const kProfiles = 3;

/** By what it is: the name that a release gives it. */
type Names = Readonly<Record<string, string>>;
const kinds = {
  text: () => t.string().optional(),
  count: () => t.number().default(0).index(),
  flag: () => t.boolean().optional(),
  owner: (parents: string) => t.ref(parents, { onDelete: 'cascade' }).optional(),
} as const;
type Kind = keyof typeof kinds;
const props = Object.keys(kinds) as Kind[];

interface Release {
  readonly tables: Names;
  /** Of the table of children. */
  readonly props: Names;
}

/** New names for some; one that it had before, or one that nothing has had. */
function renamed(names: Names, before: readonly Names[], next: Random, fresh: () => string): Names {
  return Object.fromEntries(
    Object.entries(names).map(([what, name]) => {
      if (next(3) > 0) return [what, name];
      const had = before.map((each) => each[what] as string);
      return [what, next(3) === 0 ? (had[next(had.length)] as string) : `${what}${fresh()}`];
    }),
  );
}

function releasesOf(next: Random): Release[] {
  let made = 0;
  const fresh = () => `N${++made}`;
  const all: Release[] = [
    {
      tables: { parents: 'parents', children: 'children' },
      props: Object.fromEntries(props.map((kind) => [kind, kind])),
    },
  ];
  while (all.length < kReleases) {
    const last = all.at(-1) as Release;
    all.push({
      tables: renamed(
        last.tables,
        all.map((each) => each.tables),
        next,
        fresh,
      ),
      props: renamed(
        last.props,
        all.map((each) => each.props),
        next,
        fresh,
      ),
    });
  }
  return all;
}

function migrate(from: Release, to: Release) {
  return (m: Migration) => {
    for (const [what, name] of Object.entries(from.tables)) {
      if (name !== to.tables[what]) m.renameTable(name, to.tables[what] as string);
    }
    const children = m.table(to.tables.children as string);
    for (const [what, name] of Object.entries(from.props)) {
      if (name !== to.props[what]) children.renameProp(name, to.props[what] as string);
    }
  };
}

function schemaOf(releases: readonly Release[], version: number, next: Random): unknown {
  const { tables, props: names } = releases[version - 1] as Release;
  const order = [...props].sort(() => next(3) - 1);
  const children = Object.fromEntries(
    order.map((kind) => [names[kind] as string, kinds[kind](tables.parents as string)]),
  );
  const steps = releases.slice(0, version).flatMap((to, i) => {
    const from = releases[i - 1];
    return from === undefined ? [] : [[i + 1, migrate(from, to)] as const];
  });
  const ids = { id: t.string() };
  return schema(
    {
      [tables.parents as string]: table({ name: t.string().optional() }, ids),
      [tables.children as string]: table(children, ids),
    } as never,
    {
      version,
      accepts: Array.from({ length: version - 1 }, (_, i) => i + 1),
      migrations: Object.fromEntries(steps),
    },
  );
}

class Run {
  readonly deployment: Deployment;
  readonly profiles: Profile[] = [];
  readonly log: string[] = [];
  /** By row and kind of prop. */
  readonly #set = new Map<string, unknown>();
  readonly #sums = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #releases: readonly Release[];
  readonly #next: Random;
  #served = 1;
  #made = 0;

  constructor(seed: number) {
    this.#next = random(seed);
    this.#releases = releasesOf(this.#next);
    const schemas = this.#releases.map((_, i) => schemaOf(this.#releases, i + 1, this.#next));
    this.deployment = new Deployment(schemas);
  }

  async run(): Promise<void> {
    await this.deployment.deploy(1);
    for (let i = 0; i < kProfiles; i++)
      this.profiles.push(await new Profile(this.deployment, 'anna').open(1));
    const [first] = this.profiles;
    await first?.db.transact((tx) => {
      for (const id of ['p0', 'p1']) tx.parents?.create({ id, name: id });
    }).durable;
    for (const each of this.profiles) await this.sync(each);
    for (let i = 0; i < kSteps; i++) await this.step();
    for (const each of [...this.profiles, ...this.profiles]) await this.sync(each);
    for (const each of this.profiles) this.check(each);
    await this.deployment.deploy(kReleases);
    for (const each of this.profiles) {
      await each.open(kReleases);
      this.check(each);
      await this.sync(each);
      this.check(each);
    }
  }

  async step(): Promise<void> {
    const place = this.#next(kProfiles);
    const profile = this.profiles[place] as Profile;
    const kind = this.#next(16);
    if (kind < 2 && this.#served < kReleases) {
      this.log.push(`deploy ${++this.#served}`);
      await this.deployment.deploy(this.#served);
    } else if (kind < 4) {
      const to = Math.min(this.#served, profile.release + 1 + this.#next(2));
      this.log.push(`profile ${place} to ${to}`);
      await profile.open(to);
    } else if (kind < 6) {
      profile.offline = !profile.offline;
    } else if (kind < 9 && !profile.offline) {
      await this.sync(profile);
    } else {
      await this.change(profile, place);
    }
  }

  async sync(profile: Profile): Promise<void> {
    this.log.push(`profile ${this.profiles.indexOf(profile)} syncs`);
    profile.offline = false;
    await profile.db.sync.waitForSync({ timeoutMs: 30_000 });
  }

  namesOf({ release }: Profile): Release {
    return this.#releases[release - 1] as Release;
  }

  async change(profile: Profile, place: number): Promise<void> {
    const { tables, props: names } = this.namesOf(profile);
    const shown = Object.keys(profile.rows()[tables.children as string] ?? {});
    const old = shown[this.#next(shown.length + 1)];
    const id = old ?? `row-${this.#made++}`;
    const values: Record<Kind, unknown> = {
      text: `text ${++this.#made}`,
      count: 0,
      flag: this.#next(2) === 0,
      owner: `p${this.#next(2)}`,
    };
    const patch: Record<string, unknown> = {};
    for (const kind of ['text', 'flag', 'owner'] as const) {
      if (this.#set.has(`${id}.${kind}`) || this.#next(2) === 0) continue;
      this.#set.set(`${id}.${kind}`, values[kind]);
      patch[names[kind] as string] = values[kind];
    }
    const by = 1 + this.#next(3);
    this.log.push(`profile ${place} (${profile.release}): ${id} ${JSON.stringify(patch)} + ${by}`);
    await profile.db.transact((tx) => {
      const children = tx[tables.children as string];
      if (old === undefined) {
        children?.create({ id, ...patch });
        this.#ids.push(id);
      } else if (Object.keys(patch).length > 0) children?.update(id, patch);
      children?.inc(id, { [names.count as string]: by });
    }).durable;
    this.#sums.set(id, (this.#sums.get(id) ?? 0) + by);
  }

  check(profile: Profile): void {
    expect(profile.db.conflicts.all(), this.log.join('\n')).toEqual([]);
    const { tables, props: names } = this.namesOf(profile);
    const found = profile.rows()[tables.children as string] ?? {};
    const expected = Object.fromEntries(
      this.#ids.map((id) => {
        const of = (kind: Kind) => this.#set.get(`${id}.${kind}`) ?? null;
        const row = { text: of('text'), flag: of('flag'), owner: of('owner') };
        const all = { ...row, count: this.#sums.get(id) };
        return [id, Object.fromEntries(props.map((kind) => [names[kind] as string, all[kind]]))];
      }),
    );
    expect(found, `release ${profile.release}\n${this.log.join('\n')}`).toEqual(expected);
    expect(Object.keys(profile.rows()[tables.parents as string] ?? {}).sort()).toEqual([
      'p0',
      'p1',
    ]);
  }

  async close(): Promise<void> {
    for (const profile of this.profiles) await profile.close();
    await this.deployment.remove();
  }
}

let run: Run | undefined;
afterEach(async () => {
  await run?.close();
  run = undefined;
});

const { SKERRY_RENAME_SEED: one } = process.env;
const seeds = one
  ? one.split(',').map(Number)
  : Array.from({ length: rounds(30, 3) }, (_, i) => i + 1);

test.each(seeds)('every value is there under the names of every release, seed %i', async (seed) => {
  run = new Run(seed);
  await run.run();
});
