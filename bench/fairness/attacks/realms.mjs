// Attacks by very many realms, by memberships, and by invitations.

import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { note } from '../caller.mjs';
import { allNotes, found, member, pause, prepared } from './tools.mjs';

/** Opens a socket of pokes, and resolves when it is ready. */
function listen({ url, sign }, user, heard = () => {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', async () => {
      const scopes = [{ table: 'notes', where: ['true'] }];
      const hello = {
        type: 'hello',
        token: await sign(user),
        client: randomUUID(),
        schema: 1,
        scopes,
      };
      socket.send(JSON.stringify(hello));
    });
    socket.on('message', (message) => {
      const { type } = JSON.parse(String(message));
      if (type === 'ready') resolve(socket);
      else heard();
    });
  });
}

/** A device of a user that is online: it pulls when it is told to. */
async function online(attacker, user) {
  const caller = await attacker.as(user);
  let pulls = 0;
  const pull = async () => {
    if (pulls++ > 0) return;
    for (let done = 0; done < pulls; ) {
      done = pulls;
      const { status, text } = await caller.pull({ scopes: allNotes(true) });
      if (status === 200) caller.cursors = JSON.parse(text).cursors;
      else await pause(1_000);
    }
    pulls = 0;
  };
  await listen(attacker, user, () => void pull());
}

/** A new device takes all that there is, answer by answer; then there is another new one. */
async function newDevice(as, user, state) {
  state.caller ??= await as(user);
  const { caller } = state;
  const filled = Object.keys(caller.cursors).length > 0;
  const answer = await caller.pull({ scopes: allNotes(filled) });
  if (answer.status !== 200) return answer;
  const { cursors, more } = JSON.parse(answer.text);
  caller.cursors = { ...caller.cursors, ...cursors };
  if (!more) {
    caller.close();
    delete state.caller;
  }
  return answer;
}

const removed = (realm, user) => ({
  op: 'delete',
  table: '$members',
  id: `${realm}/${user}`,
  realm,
});

export const realms = {
  'new devices of 4,000 own realms': {
    workers: 4,
    prepare: ({ caller }) => found(caller, 'mallory', 4_000),
    step: ({ as }, state) => newDevice(as, 'mallory', state),
  },
  'first pulls of new devices of 8,900 own realms': {
    workers: 4,
    prepare: ({ caller }) => found(caller, 'mallory', 8_900),
    async step({ as }) {
      const caller = await as('mallory');
      return caller.pull({ scopes: allNotes(false) }).finally(() => caller.close());
    },
  },
  'a membership that goes on and off, 4,000 realms, 100 sockets': {
    workers: 1,
    async prepare(attacker) {
      const { caller, second } = attacker;
      await found(caller, 'mallory', 4_000);
      [attacker.shared] = await found(second, 'second', 1);
      for (let n = 0; n < 100; n++) await listen(attacker, 'mallory');
    },
    async step({ caller, second, shared: realm }) {
      await second.push([second.update([member(realm, 'mallory', 'reader')])]);
      const accept = {
        op: 'update',
        table: '$members',
        id: `${realm}/mallory`,
        realm,
        set: { accepted: true },
      };
      await caller.push([caller.update([accept])]);
      return second.push([second.update([removed(realm, 'mallory')])]);
    },
  },
  'one person is invited into 5,000 realms, and four devices pull': {
    workers: 4,
    async prepare({ as }) {
      // No more of one user may wait.
      for (let n = 0; n < 10; n++) {
        const stranger = `stranger${n}`;
        await found(await as(stranger), stranger, 500, ['invited']);
      }
    },
    step: ({ as }, state) => newDevice(as, 'invited', state),
  },
  '150 users online are invited, and invited again': {
    workers: 1,
    async prepare(attacker) {
      const { caller } = attacker;
      attacker.users = Array.from({ length: 150 }, (_, n) => `online${n}`);
      for (const user of attacker.users) await online(attacker, user);
      [attacker.shared] = await found(caller, 'mallory', 1);
      await prepared(caller, [caller.update([note(attacker.shared, { title: 'x' })])]);
    },
    async step({ caller, users, shared: realm }) {
      const write = note(realm, { title: 'x' });
      await caller.push([
        caller.update([...users.map((user) => member(realm, user, 'reader')), write]),
      ]);
      return caller.push([caller.update(users.map((user) => removed(realm, user)))]);
    },
  },
};
