// The hub's commands about shared realms (hub.ts).
import type { Database } from 'skerry';
import { storesHolding } from './search.ts';
import type { sharedTables } from './shared-schema.ts';

const shared = () => db as unknown as Database<typeof sharedTables>;

export const sharing = {
  async found(): Promise<string> {
    const made = db.realms.create();
    await made.confirmed;
    return made.result;
  },
  invite: (realm: string, user: string, role: 'reader' | 'writer' | 'owner') =>
    db.realms.invite(realm, user, role).confirmed,
  removeMember: (realm: string, user: string) => db.realms.remove(realm, user).confirmed,
  role: (realm: string) => db.realms.role(realm),
  /** A list in the realm, with notes that refer to it. Returns its id. */
  async listIn(realm: string, name: string, titles: readonly string[]): Promise<string> {
    const made = db.transact((tx) => {
      const list = tx.lists.create({ name, realm });
      for (const title of titles) tx.notes.create({ title, list, realm });
      return list;
    });
    await made.durable;
    return made.result;
  },
  moveList: (list: string, realm: string) =>
    db.transact((tx) => tx.lists.move(list, realm)).durable,
  /** What the window shows of the realm. */
  inRealm: (realm: string) => ({
    lists: db.lists
      .where('realm', '=', realm)
      .all()
      .map(({ name }) => name),
    notes: db.notes
      .where('realm', '=', realm)
      .all()
      .map(({ title }) => title)
      .sort(),
  }),
  countIn: (realm: string) => db.notes.where('realm', '=', realm).count(),
  setTheme: (id: string, color: string, realm: string) =>
    shared().transact((tx) => tx.themes.create({ id, color, realm })).confirmed,
  dropTheme: (id: string, realm: string) =>
    shared().transact((tx) => tx.themes.delete(id, { realm })).confirmed,
  themes: () =>
    shared()
      .themes.orderBy('color')
      .all()
      .map(({ id, color }) => `${id} ${color}`),
  theme: (id: string, realm: string) => shared().themes.get(id, { realm })?.color ?? null,
  storesHolding,
};
