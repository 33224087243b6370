// Attacks by sub-selects over props without an index, and by rows times realms.

import { note } from '../caller.mjs';
import { fill, found, pullAll } from './tools.mjs';

const setting = (realm, n) => ({
  ...{ op: 'create', table: 'settings', id: `s${n}`, realm },
  set: { value: `v${n}` },
});

/** Two tables, of which no value fits another. */
async function fillBoth({ caller, realm }, rows) {
  await fill(caller, rows, (n) => note(realm, { title: `t${n}`, body: `b${n}` }));
  await fill(caller, rows, (n) => setting(realm, n));
}

const selected = (prop) => ['in', prop, { table: 'settings', select: 'value' }];
const kFilters = {
  'a sub-select': selected('title'),
  'none of a sub-select': ['not', selected('title')],
  'either of two sub-selects': ['or', selected('title'), selected('body')],
};

const asked = (where) => ({
  workers: 4,
  prepare: (attacker) => fillBoth(attacker, 20_000),
  step: ({ caller }) =>
    caller.pull({ scopes: [{ table: 'notes', where, filled: false }], images: false }),
});

const both = (filled) => [
  { table: 'notes', where: selected('title'), filled },
  { table: 'settings', where: ['true'], filled },
];

export const joins = {
  ...Object.fromEntries(
    Object.entries(kFilters).map(([name, where]) => [
      `${name}, 20,000 rows × 20,000`,
      asked(where),
    ]),
  ),
  'a filled sub-select of 10,000 rows, all changed': {
    workers: 4,
    async prepare(attacker) {
      const { caller, realm } = attacker;
      await fillBoth(attacker, 10_000);
      await pullAll(caller, both);
      await fill(caller, 10_000, (n) => ({
        ...{ op: 'update', table: 'settings', id: `s${n}`, realm },
        set: { value: `w${n}` },
      }));
    },
    step: ({ caller }) => caller.pull({ scopes: both(true), images: false }),
  },
  '19,000 new rows for a device of 3,000 realms': {
    workers: 4,
    async prepare({ caller, realm }) {
      await found(caller, 'mallory', 3_000);
      await pullAll(caller);
      await fill(caller, 19_000, () => note(realm, { title: 'x' }));
    },
    step: ({ caller }) =>
      caller.pull({ scopes: [{ table: 'notes', where: ['true'], filled: true }] }),
  },
};
