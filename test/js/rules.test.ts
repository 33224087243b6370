// Goal: what the rules of an application say of an action is what they say over its rows and reads, whatever they catch, repeat or
// throw. Method: `skerry/rules` with questions of the test.

import { expect, test } from 'vitest';
import { schema, t, table } from '../../js/index.ts';
import { Rules, type RulesHost } from '../../js/rules/index.ts';

let now = 0;
const warned: string[] = [];
const host: RulesHost = { mono: () => now, warn: (message) => void warned.push(message) };

type CityRule = (city: { readonly id: string; readonly name: string }, reader: never) => unknown;

/** Rules of a table with one row that was made. */
function rulesOf(validate: CityRule, ofSchema?: (reader: never, changed: never) => unknown): Rules {
  const app = schema(
    {
      cities: table({ name: t.string() }, { id: t.string(), validate: validate as never }),
      others: table({ name: t.string() }),
    },
    { version: 1, validate: ofSchema as never },
  );
  return new Rules(app, null, host);
}

const row = (id: string, name = 'a') => ({
  ...{ table: 'cities', id, realm: 'r', createdAt: 1, modifiedAt: 2, revision: 3 },
  props: { name },
});
const question = (more: object = {}) => ({
  ...{ place: 4, client: 'c', user: 'u', reads: [], values: [] },
  action: { id: 'action', name: 'do', arg: null, at: 5 },
  changed: [{ table: 'cities', id: 'x', realm: 'r', before: null, after: row('x') }],
  ...more,
});

test('a rule that catches every error is not believed before it has read', () => {
  const rules = rulesOf((_city, reader: { others: { count(): number } }) => {
    try {
      return reader.others.count() > 0 ? 'There are others.' : undefined;
    } catch {
      // What it makes of the error is no answer.
      return 7;
    }
  });
  const { reads } = rules.answer(question());
  expect(reads).toMatchObject([{ what: 'count', query: { table: 'others' } }]);
  expect(rules.answer(question({ reads, values: [0] }))).toEqual({ place: 4 });
});

test('rows that are asked for together are read together', () => {
  const rules = rulesOf((_city, reader: { others: { getMany(ids: string[]): unknown[] } }) => {
    reader.others.getMany(['1', '2', '3']);
  });
  expect(rules.answer(question()).reads).toHaveLength(3);
});

test('a rule may read a thousand times for an action, and not once more', () => {
  const rules = rulesOf(
    (_city, reader: { cities: { where(...x: string[]): { count(): number } } }) => {
      reader.cities.where('name', '=', 'next').count();
    },
  );
  const read = (i: number) => ({ query: { i }, what: 'count' });
  const before = (count: number) => ({
    reads: Array.from({ length: count }, (_, i) => read(i)),
    values: Array.from({ length: count }, () => 0),
  });
  expect(rules.answer(question(before(999))).reads).toHaveLength(1);
  expect(rules.answer(question(before(1000)))).toEqual({
    ...{ place: 4, failed: 'A rule reads more than 1000 times for one action.' },
  });
});

test('what was wrong before, with the same words, is not refused', () => {
  const rules = rulesOf(({ name }) => (name === 'wrong' ? 'It is wrong.' : undefined));
  const changed = (before: string | null, after: string) => ({
    changed: [
      {
        ...{ table: 'cities', id: 'x', realm: 'r' },
        before: before === null ? null : row('x', before),
        after: row('x', after),
      },
    ],
  });
  const problems = [
    { table: 'cities', id: 'x', realm: 'r', code: 'rule', message: 'It is wrong.' },
  ];
  expect(rules.answer(question(changed('right', 'wrong')))).toEqual({ place: 4, problems });
  expect(rules.answer(question(changed(null, 'wrong')))).toEqual({ place: 4, problems });
  expect(rules.answer(question(changed('wrong', 'wrong')))).toEqual({ place: 4 });
});

test('one sentence about many rows is said of those that the action has changed', () => {
  const problem = (id: string, message: string) => ({ table: 'cities', id, message });
  const list = [problem('y', 'Too many.'), problem('x', 'Too many.'), problem('y', 'Too small.')];
  const seen: unknown[] = [];
  const ofSchema = (_reader: never, changed: readonly { id: string }[]) => {
    seen.push(changed);
    // Before the action there was none.
    return seen.length > 1 ? [] : [...list, problem('z', 'Too small.')];
  };
  const { problems } = rulesOf(() => undefined, ofSchema as never).answer(question());
  expect(problems?.map(({ id, message }) => [id, message])).toEqual([
    ['x', 'Too many.'],
    ['y', 'Too small.'],
  ]);
  expect(seen).toEqual([[{ table: 'cities', id: 'x', realm: 'r' }], expect.anything()]);
});

test('a long sentence is cut; a slow rule is named, again at twice the time', () => {
  let ms = 49;
  const rules = rulesOf(() => {
    now += ms;
    return 'x'.repeat(1001);
  });
  const say = (time: number) => {
    ms = time;
    warned.length = 0;
    rules.answer(question());
    return warned.length;
  };
  expect(rules.answer(question()).problems?.[0]?.message).toHaveLength(1000);
  expect([49, 50, 99, 100, 100].map(say)).toEqual([0, 1, 0, 1, 0]);
  say(200);
  expect(warned).toEqual(['validate of table cities took 200 ms: others wait for it.']);
});

test.each([
  ['a number', 7, /and not with 7/],
  ['an empty text', '', /and not with ""/],
  ['a promise', Promise.resolve(), /and not with \{\}/],
])('%s is no answer, and names the row', (_, answer, message) => {
  const { failed } = rulesOf(() => answer).answer(question());
  expect(failed).toMatch(/^validate of cities x: a rule answers with a sentence/);
  expect(failed).toMatch(message);
});

test('knows whether there is any rule', () => {
  const app = schema({ others: table({ name: t.string() }) }, { version: 1 });
  const any = (of: unknown, rule: (() => void) | null = null) => new Rules(of, rule, host).any;
  expect(any(app)).toBe(false);
  expect(any(app, () => {})).toBe(true);
  expect(rulesOf(() => undefined).any).toBe(true);
  // A description has none.
  expect(any(JSON.parse(JSON.stringify(app)), () => {})).toBe(false);
});
