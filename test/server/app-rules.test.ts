// Goal: a rule that fails over an action stops its client for ten minutes and no longer, and is not asked more often than every
// twenty seconds. Method: the rules of the application with an asker and a clock of the test.

import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ruleLimits } from '../../server/src/base/rule-limits.ts';
import type { RuleQuestion } from '../../server/src/base/wire-types.ts';
import { AppRules } from '../../server/src/rules/app-rules.ts';
import { type RuleReply, RulesAway } from '../../server/src/rules/asker.ts';
import { RulesLink } from '../../server/src/rules/rules-link.ts';
import { isRunning } from '../support/processes.ts';
import { Folder, uuid7 } from './support/server.ts';

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

describe('the process of the rules', () => {
  const folder = new Folder();
  const module = `import { schema, t, table } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const validate = ({ name }) => { if (name === 'exit') process.exit(3); return name === 'wrong' ? 'wrong' : name === 'pid' ? String(process.pid) : null; };
    export default schema({ cities: table({ name: t.string() }, { validate }) }, { version: 1 });`;
  const link = new RulesLink({
    module: pathToFileURL(folder.schema(null, module)),
    ...{ memory: 64, seconds: 10 },
  });
  afterAll(async () => {
    await link.close();
    folder.remove();
  });
  const about = (name: string): RuleQuestion => {
    const row = { table: 'cities', id: uuid7(), realm: 'r' };
    const after = { ...row, createdAt: 0, modifiedAt: 0, props: { name } };
    return { ...question(name), changed: [{ ...row, before: null, after }] };
  };

  test('answers several commits at once, and one that ends it is at fault alone', async () => {
    const names = ['right', 'exit', 'wrong', 'exit', 'right', 'wrong'];
    const answers = await Promise.all(names.map((name) => link.answer([about(name)])));
    const kinds = answers.map(([reply]) =>
      reply?.failed === undefined ? (reply?.problems?.[0]?.message ?? 'right') : 'exit',
    );
    expect(kinds).toEqual(names);
  });

  test('asks about each alone when the process ends over one of several', async () => {
    const names = ['right', 'exit', 'wrong', 'exit', 'right'];
    const replies = await link.answer(names.map(about));
    const failed = replies.map((reply) => reply.failed !== undefined);
    expect(failed).toEqual([false, true, false, true, false]);
    expect(replies[2]?.problems).toHaveLength(1);
  });

  test('is started again if it was killed while nothing was asked', async () => {
    const [reply] = await link.answer([about('pid')]);
    const pid = Number(reply?.problems?.[0]?.message);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect(await link.answer([about('wrong')])).toMatchObject([
      { problems: [{ message: 'wrong' }] },
    ]);
  });
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
