/**
 * Live queries of the model, each beside plain JavaScript over all rows, and subscribers that hold what they hear against it:
 * exactly one call for each change, none after the end, and in the end the same as a query from scratch.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Delta, Live, Stop } from '../../../js/api/types.ts';
import type { App } from '../support.ts';

export interface LiveSpec {
  readonly name: string;
  live(db: App): Live<unknown>;
  expected(db: App): unknown;
}

type City = ReturnType<App['cities']['all']>[number];

const cities = (db: App, keep: (city: City) => boolean = () => true) =>
  db.cities.all().filter(keep);
const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
const byName = (a: City, b: City) => (a.name === b.name ? byId(a, b) : a.name < b.name ? -1 : 1);
/** Ties go by id, whatever the direction. */
const largestFirst = (a: City, b: City) => b.population - a.population || byId(a, b);

export const liveSpecs: readonly LiveSpec[] = [
  {
    name: 'the three largest cities',
    live: (db) => db.cities.orderBy('population', 'desc').orderBy('id').limit(3).live(),
    expected: (db) => cities(db).sort(largestFirst).slice(0, 3),
  },
  {
    name: 'the second and the third by name',
    live: (db) => db.cities.orderBy('name').offset(1).limit(2).live(),
    expected: (db) => cities(db).sort(byName).slice(1, 3),
  },
  {
    name: 'cities of SE',
    live: (db) => db.cities.where('country', '=', 'SE').orderBy('id').live(),
    expected: (db) => cities(db, ({ country }) => country === 'SE').sort(byId),
  },
  {
    name: 'the first city by name',
    live: (db) => db.cities.orderBy('name').liveFirst(),
    expected: (db) => cities(db).sort(byName)[0],
  },
  {
    name: 'the number of large cities',
    live: (db) => db.cities.where('population', '>', 3).liveCount(),
    expected: (db) => cities(db, ({ population }) => population > 3).length,
  },
  {
    name: 'groups with members and their people',
    live: (db) =>
      db.groups
        .orderBy('id')
        .include('members', (q) => q.orderBy('id').include('person'))
        .live(),
    expected: (db) =>
      [...db.groups.all()].sort(byId).map((group) => ({
        ...group,
        members: db.members
          .all()
          .filter((member) => member.group === group.id)
          .sort(byId)
          .map((member) => ({ ...member, person: db.people.get(member.person) ?? null })),
      })),
  },
];

const idsOf = (value: unknown) => (value as readonly { id: string }[]).map(({ id }) => id);

export class Subscriber {
  readonly spec: LiveSpec;
  /** Calls so far. */
  heard = 0;
  stopped = false;
  readonly stop: Stop;
  #last: unknown;
  readonly #db: App;
  readonly #fail: (problem: string) => void;

  /** `then`: what it does when it is called, apart from looking. */
  constructor(
    db: App,
    spec: LiveSpec,
    live: Live<unknown>,
    fail: (problem: string) => void,
    then: (self: Subscriber) => void,
  ) {
    this.#db = db;
    this.spec = spec;
    this.#fail = fail;
    const stop = live.subscribe((value, delta) => {
      this.#hear(value, delta);
      then(this);
    });
    this.stop = (() => {
      this.stopped = true;
      stop();
    }) as Stop;
  }

  #hear(value: unknown, delta: Delta | undefined): void {
    const { name } = this.spec;
    if (this.stopped) this.#fail(`a subscriber of ${name} was called after its end`);
    if (delta && this.heard === 0) this.#fail(`the first call for ${name} had a delta`);
    if (!delta && this.heard > 0) this.#fail(`a second first call for ${name}`);
    if (this.heard > 0 && value === this.#last) this.#fail(`${name} came twice as the same`);
    if (delta && Array.isArray(value)) this.#checkDelta(value, delta);
    this.#last = value;
    this.heard++;
  }

  #checkDelta(value: readonly unknown[], { added, removed, changed }: Delta): void {
    const ids = new Set(idsOf(this.#last).filter((id) => !removed.includes(id)));
    for (const id of added) ids.add(id);
    const now = idsOf(value);
    if (
      ids.size !== now.length ||
      !now.every((id) => ids.has(id)) ||
      !changed.every((id) => ids.has(id))
    )
      this.#fail(`the delta of ${this.spec.name} does not lead to what it came with`);
  }

  /** Between transactions: what was heard last is what is there. */
  check(): void {
    if (this.stopped || this.heard === 0) return;
    const expected = this.spec.expected(this.#db);
    if (!isDeepStrictEqual(this.#last, expected))
      this.#fail(`${this.spec.name}: heard ${show(this.#last)}, expected ${show(expected)}`);
  }
}

export const show = (value: unknown) => JSON.stringify(value)?.slice(0, 600);
