// Attacks by what is pushed.

import { Caller, elsewhere, note, uuid7 } from '../caller.mjs';
import { fill, prepared, text } from './tools.mjs';

/** Each changes something small in so many rows of 1 MB. The limit of an update is 67.1 MB of rows. */
const updatesOf = (rows) => ({
  workers: 2,
  async prepare(attacker) {
    const { caller, realm } = attacker;
    attacker.ids = Array.from({ length: rows }, () => uuid7());
    for (const id of attacker.ids) {
      await prepared(caller, [
        caller.update([note(realm, { title: 't', body: text(1_000_000) }, id)]),
      ]);
    }
  },
  async step({ as, realm, ids }) {
    const caller = await as('mallory');
    const ops = ids.map((id) => ({
      op: 'update',
      table: 'notes',
      id,
      realm,
      set: { title: 'u' },
    }));
    return caller.push([caller.update(ops)]).finally(() => caller.close());
  },
});

export const pushes = {
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
  'updates that read 67 MB of own rows': updatesOf(67),
  'updates that would read 69 MB of own rows': updatesOf(69),
  'rejected pushes that name 1,000 actions 100 times': {
    workers: 2,
    async step({ as }) {
      const caller = await as('mallory');
      const realm = 'user:second';
      const ops = Array.from({ length: 100 }, () => ({
        op: 'delete',
        table: 'settings',
        id: 'x',
        realm,
      }));
      const update = caller.update(ops, { actions: 1_000 });
      const by = update.actions.map((_, n) => n);
      const named = { ...update, ops: update.ops.map((op) => ({ ...op, by })) };
      return caller.push([named]).finally(() => caller.close());
    },
  },
  'deletes of a hidden row with 20,000 children': {
    workers: 4,
    async prepare({ second }) {
      const realm = 'user:second';
      const team = { op: 'create', table: 'groups', id: 'team', realm, set: { name: 'team' } };
      await prepared(second, [second.update([team])]);
      await fill(second, 20_000, (n) => ({
        ...{ op: 'create', table: 'entries', id: `e${n}`, realm },
        set: { group: 'team' },
      }));
    },
    async step({ as }) {
      const caller = await as('mallory');
      const remove = { op: 'delete', table: 'groups', id: 'team', realm: 'user:second' };
      return caller.push([caller.update([remove])]).finally(() => caller.close());
    },
  },
};
