// Goal: ids belong to their realm. Two users write rows with the same ids, each in realms of their own, by every op and over
// refs of each kind; neither ever notices the other. Method: a real server. What each is sent (answers to pushes and pulls,
// tables, pokes) is compared with what a user is sent who does the same with ids that are in no other realm.

import { afterEach, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { terminateAll } from './support/ear.ts';
import { isolationSchema } from './support/isolation/schema.ts';
import { random } from './support/random.ts';
import { Party, runName, type Transcript } from './support/same-ids/party.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ schema: isolationSchema });
afterEach(terminateAll);

const kSteps = 25;
const seeds = Array.from({ length: rounds(60, 5) }, (_, i) => i + 1);

/** Every word of the transcripts. */
const met = new Set<string>();

/** Parties that take turns at random, each with a script of its own. */
async function run(seed: number, turn: string, scripts: readonly number[]): Promise<Transcript[]> {
  const name = runName(seed, turn);
  const parties: Party[] = [];
  for (const script of scripts)
    parties.push(await Party.begin(server.url, `user${script}-${name}`, name, seed * 2 + script));
  const next = random(seed);
  const left = parties.map(() => kSteps);
  while (left.some((steps) => steps > 0)) {
    const turnOf = next(parties.length);
    if (left[turnOf] === 0) continue;
    left[turnOf]!--;
    await parties[turnOf]!.step();
  }
  const transcripts = [];
  for (const party of parties) transcripts.push(await party.end());
  return transcripts;
}

test.each(seeds)('two realms with the same ids do not notice each other, seed %i', async (seed) => {
  const together = await run(seed, 'together', [0, 1]);
  const alone = [...(await run(seed, 'first', [0])), ...(await run(seed, 'second', [1]))];
  expect(together).toEqual(alone);
  for (const text of alone.flat())
    for (const [sign] of text.matchAll(/"[a-zA-Z]+"/g)) met.add(sign);
});

test('the two have done all that there is to do', () => {
  const outcomes = [
    'applied',
    'rejected',
    'noops',
    'gone',
    'unique',
    'restrict',
    'exists',
    'changed',
  ];
  const changes = ['create', 'update', 'move', 'delete'];
  expect([...outcomes, ...changes].filter((sign) => !met.has(`"${sign}"`))).toEqual([]);
});
