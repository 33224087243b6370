// Goal: a rule that fails over an action stops its client for ten minutes and no longer, and is not asked more often than every
// twenty seconds. Method: the rules of the application with an asker and a clock of the test.

import { beforeEach, expect, test } from 'vitest';
import { ruleLimits } from '../../server/src/base/rule-limits.ts';
import type { RuleQuestion } from '../../server/src/base/wire-types.ts';
import { AppRules } from '../../server/src/rules/app-rules.ts';
import { type RuleReply, RulesAway } from '../../server/src/rules/asker.ts';

let now = 0;
let asked: string[] = [];
let logged: string[] = [];
let answer: (id: string) => Omit<RuleReply, 'place'> = () => ({});

const rules = new AppRules({
  asker: {
    answer: async (questions) =>
      questions.map(({ place, action }) => {
        const { id } = action as { id: string };
        asked.push(id);
        return { place, ...answer(id) };
      }),
    close: async () => {},
  },
  log: (message) => void logged.push(message),
  now: () => now,
});

const question = (id: string, place = 0): RuleQuestion => ({
  ...{ place, client: 'c', user: 'u', changed: [], reads: [], values: [] },
  action: { id, name: 'do', arg: null, at: 0 },
});
const ask = async (id: string) => (await rules.answer([question(id)]))[0];
const failing = () => ({ failed: 'it threw' });
let ids = 0;
let id = '';
beforeEach(() => {
  now = 0;
  asked = [];
  logged = [];
  answer = failing;
  id = `action-${++ids}`;
});

test('asks again after a while, and refuses after ten minutes', async () => {
  const at = async (ms: number) => {
    now = ms;
    const before = asked.length;
    const { failed, problems } = (await ask(id)) as RuleReply;
    return [asked.length > before ? 'asked' : 'not asked', failed ?? problems];
  };
  const { retryMs: pause, failureMs: last } = ruleLimits;
  expect(await at(0)).toEqual(['asked', 'it threw']);
  expect(await at(pause - 1)).toEqual(['not asked', 'it threw']);
  expect(await at(pause)).toEqual(['asked', 'it threw']);
  expect(await at(last - 1)).toEqual(['asked', 'it threw']);
  expect(await at(last)).toEqual(['not asked', [{ code: 'internal', message: 'it threw' }]]);
  expect(logged).toHaveLength(1);
});

test.each([
  ['forgets a failure when the rule answers', {}, true],
  ['remembers a failure when the rule only reads', { reads: [{ query: {}, what: 'rows' }] }, false],
])('%s', async (_, next, isForgotten) => {
  await ask(id);
  now = ruleLimits.retryMs;
  answer = () => next;
  expect(await ask(id)).toEqual({ place: 0, ...next });
  answer = failing;
  now = ruleLimits.failureMs;
  const { failed } = (await ask(id)) as RuleReply;
  expect(failed).toBe(isForgotten ? 'it threw' : undefined);
});

test('asks about the others of a group, in their order', async () => {
  answer = (one) => (one === id ? failing() : {});
  await ask(id);
  asked = [];
  const group = ['before', id, 'after'].map((one, place) => question(one, place));
  expect(await rules.answer(group)).toEqual([
    { place: 0 },
    { place: 1, failed: 'it threw' },
    { place: 2 },
  ]);
  expect(asked).toEqual(['before', 'after']);
});

test('takes rules that cannot be asked for nobody\u2019s fault', async () => {
  answer = () => {
    throw new RulesAway('no process');
  };
  for (const ms of [0, 1, ruleLimits.failureMs]) {
    now = ms;
    expect(await ask(id)).toEqual({ place: 0, failed: 'The rules cannot be asked now.' });
  }
  expect(asked).toHaveLength(3);
});
