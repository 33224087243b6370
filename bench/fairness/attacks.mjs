// The worst that a caller with one ordinary token can do, each as a load: `prepare` runs before the measurement (its state
// stays with `step`), and `step` is repeated by so many workers for as long as the measurement lasts.

import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { Caller, elsewhere, note, uuid7 } from './caller.mjs';

const text = (length, letter = 'a') => letter.repeat(length);
const never = (count) => [
  'or',
  ...Array.from({ length: count }, (_, n) => ['like', 'body', `%zz${n}%qq%`]),
];

/** Rows of the attacker's own, which are his to read. */
async function fill({ caller, realm }, rows, set) {
  for (let done = 0; done < rows; done += 2_500) {
    const ops = Array.from({ length: Math.min(2_500, rows - done) }, () => note(realm, set));
    const { status, text } = await caller.push([caller.update(ops)]);
    if (status !== 200) throw new Error(`The rows were not taken: ${status} ${text.slice(0, 200)}`);
  }
}

/** An open socket that is thrown away when it ends, by either side. */
function opened(socket, alive) {
  alive.add(socket);
  const gone = () => alive.delete(socket);
  socket.on('error', gone);
  socket.on('close', gone);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const attacks = {
  'creates over the tombstone of another realm': {
    workers: 4,
    async prepare({ second }) {
      const realm = 'user:second';
      await second.push([
        second.update([{ ...note(realm, { value: 'x' }, 'theme'), table: 'settings' }]),
      ]);
      const remove = { op: 'delete', table: 'settings', id: 'theme', realm };
      await second.push([second.update([remove])]);
    },
    step({ url, token, realm }) {
      const caller = new Caller(url, token, { from: elsewhere });
      const op = { ...note(realm, { value: 'x' }, 'theme'), table: 'settings' };
      return caller.push([caller.update([op])]).finally(() => caller.close());
    },
  },
  'a thousand realms in `after`, a thousand actions': {
    workers: 2,
    step({ caller, realm }) {
      const realms = Array.from({ length: 1_000 }, (_, n) => `r${n}`);
      const update = caller.update([note(realm, { title: 'x' })], {
        realms,
        actions: 1_000,
        track: false,
      });
      return caller.push([update]);
    },
  },
  'refused updates in 20,000 realms': {
    workers: 2,
    step({ caller, realm }) {
      const realms = Array.from({ length: 20_000 }, (_, n) => `r${n}`);
      return caller.push([caller.update([note(realm, { title: 'x' })], { realms, track: false })]);
    },
  },
  'JSON 5,000 deep': {
    workers: 4,
    step({ caller, realm }) {
      const deep = `${text(5_000, '[')}${text(5_000, ']')}`;
      const update = JSON.stringify(
        caller.update([note(realm, { title: 'x', extra: 'DEEP' })], { track: false }),
      );
      const body = `{"client":"${caller.client}","schema":1,"epoch":1,"updates":[${update.replace('"DEEP"', deep)}]}`;
      return caller.send('POST', '/v1/push', body);
    },
  },
  'one long `like` over one row of 900 KB': {
    workers: 4,
    prepare: (attacker) => fill(attacker, 1, { title: 't', body: text(900_000) }),
    step: ({ caller }) =>
      caller.pull({
        scopes: [{ table: 'notes', where: ['like', 'body', `%${text(20_000)}b`], filled: false }],
      }),
  },
  'fifty scopes of forty `like`s over 10,000 rows': {
    workers: 4,
    prepare: (attacker) =>
      fill(attacker, 10_000, { title: 't', body: text(100, 'abcdefghij'.slice(0, 1)) }),
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
    prepare: (attacker) => fill(attacker, 10_000, { title: 't', body: text(100) }),
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
    prepare: (attacker) => fill(attacker, 10_000, { title: 't', body: text(100) }),
    step: ({ caller }) => caller.send('GET', '/v1/tables/notes'),
  },
  'increments of rows of 900 KB': {
    workers: 2,
    async prepare(attacker) {
      attacker.ids = [];
      for (let n = 0; n < 6; n++) {
        const id = uuid7();
        attacker.ids.push(id);
        const { caller, realm } = attacker;
        await caller.push([
          caller.update([note(realm, { title: 't', n: 0, body: text(900_000) }, id)]),
        ]);
      }
    },
    step({ url, token, realm, ids }) {
      const caller = new Caller(url, token, { from: elsewhere });
      const ops = ids.map((id) => ({ op: 'inc', table: 'notes', id, realm, add: { n: 1 } }));
      return caller
        .push(Array.from({ length: 50 }, () => caller.update(ops)))
        .finally(() => caller.close());
    },
  },
  'pushes of 9,900 rows': {
    workers: 4,
    step({ caller, realm }) {
      const ops = Array.from({ length: 9_900 }, () => note(realm, { title: 't' }));
      return caller.push([caller.update(ops, { track: false })]);
    },
  },
  '200 clients of one user that push': {
    workers: 200,
    step({ url, token, realm }, state) {
      state.caller ??= new Caller(url, token, { from: elsewhere });
      return state.caller.push([
        state.caller.update([note(realm, { title: 't' })], { track: true }),
      ]);
    },
  },
  '64 pulls at a time, each of a new client': {
    workers: 64,
    prepare: (attacker) => fill(attacker, 1_900, { title: 't', body: text(100) }),
    step({ caller }) {
      caller.client = crypto.randomUUID();
      return caller.pull({
        scopes: [{ table: 'notes', where: ['true'], filled: true }],
      });
    },
  },
  '150 bodies of 7.9 MB that stand still': {
    workers: 150,
    async step({ url, token }, state) {
      state.alive ??= new Set();
      if (state.alive.size > 0) {
        await pause(100);
        return null;
      }
      const socket = connect({
        port: Number(new URL(url).port),
        host: '127.0.0.1',
        localAddress: elsewhere,
      });
      opened(socket, state.alive);
      socket.write(
        `POST /v1/push HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 8000000\r\n\r\n`,
      );
      socket.write(Buffer.alloc(7_900_000, 0x20));
      return new Promise((resolve) => {
        const answered = (data) =>
          resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1] ?? 0) });
        socket.once('data', answered);
        setTimeout(() => resolve(null), 500);
      });
    },
  },
  '2,000 sockets that say nothing': {
    workers: 20,
    async step({ url }, state) {
      state.alive ??= new Set();
      if (state.alive.size >= 100) {
        await pause(20);
        return null;
      }
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`, {
        localAddress: elsewhere,
      });
      opened(socket, state.alive);
      return new Promise((resolve) => {
        socket.once('open', () => resolve({ status: 101 }));
        socket.once('unexpected-response', (_, { statusCode }) => resolve({ status: statusCode }));
        socket.once('error', () => resolve({ status: 0 }));
      });
    },
  },
  'hellos of 900 scopes without end': {
    workers: 10,
    step({ url, token }) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`, {
        localAddress: elsewhere,
      });
      const scopes = Array.from({ length: 900 }, () => ({
        table: 'notes',
        where: ['=', 'title', 'x'],
      }));
      const hello = JSON.stringify({ type: 'hello', token, client: uuid7(), schema: 1, scopes });
      socket.on('open', () => socket.send(hello));
      socket.on('message', () => socket.send(hello));
      return new Promise((resolve) => {
        socket.on('close', (code) => resolve({ status: code }));
        socket.on('error', () => resolve({ status: 0 }));
        setTimeout(() => socket.terminate(), 1_000);
      });
    },
  },
};
