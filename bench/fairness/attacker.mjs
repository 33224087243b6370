// One attack, in a process of its own, so that the measuring process has its time to itself. Takes { url, signer, name }
// as its argument; prints `ready` when it is prepared, begins at a line on its input, and prints what it was answered when told
// to end by another.

import { createInterface } from 'node:readline';
import { attacks } from './attacks.mjs';
import { Caller, elsewhere } from './caller.mjs';
import { signed } from './tokens.mjs';

const { url, signer, name } = JSON.parse(process.argv[2]);
const { workers, prepare, step } = attacks[name];
const token = await signed('mallory', signer);
const tokens = new Map([['mallory', token]]);

async function sign(user) {
  if (!tokens.has(user)) tokens.set(user, await signed(user, signer));
  return tokens.get(user);
}

const attacker = {
  ...{ url, token, sign },
  realm: 'user:mallory',
  caller: new Caller(url, token, { from: elsewhere, connections: workers }),
  second: new Caller(url, await sign('second')),
  stranger: new Caller(url, null, { from: elsewhere, connections: workers }),
  /** A new client of a user. */
  as: async (user) => new Caller(url, await sign(user), { from: elsewhere }),
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
