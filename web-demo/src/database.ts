// Opens the demo's database. The user comes from the address (?user=ada), so that two profiles can be two people.
import { defineMutators, http, open } from 'skerry';
import { app } from './schema.js';

const query = new URL(location.href).searchParams;
export const user = query.get('user') ?? 'demo';
/** `?sync=lease`: the windows push themselves, as they do where there are no service workers. */
const withServiceWorker = query.get('sync') !== 'lease';

const mutators = defineMutators(app, {
  addCity: (tx, arg: { name: string; country: string }) =>
    tx.cities.create({ name: arg.name, country: arg.country, population: 0, lat: 0, lon: 0 }),
  editCity: (
    tx,
    arg: { id: string; patch: { name?: string; country?: string; population?: number } },
  ) => tx.cities.update(arg.id, arg.patch),
  /** Counts add up: what two people move at the same time moves twice. */
  movePeople: (tx, arg: { id: string; by: number }) =>
    tx.cities.inc(arg.id, { population: arg.by }),
  likeCity: (tx, arg: { id: string }) => tx.cities.inc(arg.id, { likes: 1 }),
  deleteCity: (tx, arg: { id: string }) => tx.cities.delete(arg.id),
  addGroup: (tx, arg: { name: string }) => tx.groups.create({ name: arg.name }),
  renameGroup: (tx, arg: { id: string; name: string }) =>
    tx.groups.update(arg.id, { name: arg.name }),
  deleteGroup: (tx, arg: { id: string }) => tx.groups.delete(arg.id),
  addMember: (tx, arg: { group: string; person: string }) =>
    tx.memberships.create({ group: arg.group, person: arg.person }),
  removeMember: (tx, arg: { id: string }) => tx.memberships.delete(arg.id),
  nameList: (tx, arg: { realm: string; name: string }) =>
    tx.lists.create({ name: arg.name, realm: arg.realm }),
  addTodo: (tx, arg: { list: string; realm: string; text: string }) =>
    tx.todos.create({ list: arg.list, text: arg.text, realm: arg.realm }),
  checkTodo: (tx, arg: { id: string; done: boolean }) =>
    tx.todos.update(arg.id, { done: arg.done }),
});

export function openDemo() {
  return open({
    name: 'demo',
    schema: app,
    user,
    mutators,
    scopes: 'all',
    defaultRealm: 'public',
    remote: http('/v1', { token: async () => `dev:${user}` }),
    serviceWorker: withServiceWorker && '/sw.js',
  });
}

export type Demo = Awaited<ReturnType<typeof openDemo>>;
