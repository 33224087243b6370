// One attack, in a process of its own, so that the measuring process has its time to itself. Takes { url, name } as its
// argument; prints `ready` when it is prepared, begins at a line on its input, and prints what it was answered when told
// to end by another.

import { createInterface } from 'node:readline';
import { attacks } from './attacks.mjs';
import { Caller, elsewhere, tokenOf } from './caller.mjs';

const { url, name } = JSON.parse(process.argv[2]);
const { workers, prepare, step } = attacks[name];
const token = await tokenOf('mallory');
const attacker = {
  ...{ url, token },
  realm: 'user:mallory',
  caller: new Caller(url, token, { from: elsewhere, connections: workers }),
  second: new Caller(url, await tokenOf('second')),
};
await prepare?.(attacker);

const answers = {};
let ended = false;

async function work() {
  const state = {};
  while (!ended) {
    const answer = await step(attacker, state);
    if (answer !== null) answers[answer.status] = (answers[answer.status] ?? 0) + 1;
  }
}

const lines = createInterface({ input: process.stdin });
let begun = false;
lines.on('line', () => {
  if (!begun) {
    begun = true;
    for (let n = 0; n < workers; n++) void work();
    return;
  }
  ended = true;
  console.log(JSON.stringify(answers));
  process.exit(0);
});
// The process that started it is gone.
lines.on('close', () => process.exit(0));
console.log('ready');
