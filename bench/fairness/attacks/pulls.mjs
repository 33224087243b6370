// Attacks by what a pull, or a read of a table, asks for.

import { fillNotes, pause, text } from './tools.mjs';

const never = (count) => [
  'or',
  ...Array.from({ length: count }, (_, n) => ['like', 'body', `%zz${n}%qq%`]),
];

export const pulls = {
  'one long `like` over one row of 900 KB': {
    workers: 4,
    prepare: (attacker) => fillNotes(attacker, 1, { title: 't', body: text(900_000) }),
    step: ({ caller }) =>
      caller.pull({
        scopes: [{ table: 'notes', where: ['like', 'body', `%${text(20_000)}b`], filled: false }],
      }),
  },
  'fifty scopes of forty `like`s over 10,000 rows': {
    workers: 4,
    prepare: (attacker) =>
      fillNotes(attacker, 10_000, { title: 't', body: text(100, 'abcdefghij'.slice(0, 1)) }),
    step: ({ caller }) =>
      caller.pull({
        scopes: Array.from({ length: 50 }, () => ({
          table: 'notes',
          where: never(40),
          filled: false,
        })),
      }),
  },
  'heavy pulls whose caller goes at once': {
    workers: 16,
    prepare: (attacker) => fillNotes(attacker, 10_000, { title: 't', body: text(100) }),
    async step({ caller }) {
      const gone = new AbortController();
      const scopes = Array.from({ length: 10 }, () => ({
        table: 'notes',
        where: never(20),
        filled: false,
      }));
      const answer = caller.pull({ scopes }, { signal: gone.signal });
      await pause(50);
      gone.abort();
      return answer;
    },
  },
  'all rows again and again by /v1/tables': {
    workers: 16,
    prepare: (attacker) => fillNotes(attacker, 10_000, { title: 't', body: text(100) }),
    step: ({ caller }) => caller.send('GET', '/v1/tables/notes'),
  },
  '64 pulls at a time, each of a new client': {
    workers: 64,
    prepare: (attacker) => fillNotes(attacker, 1_900, { title: 't', body: text(100) }),
    step({ caller }) {
      caller.client = crypto.randomUUID();
      return caller.pull({
        scopes: [{ table: 'notes', where: ['true'], filled: true }],
      });
    },
  },
};
