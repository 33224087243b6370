// The inbox: changes that did not take effect, with what they wanted and what is there now. The package's element shows and settles
// them; it gets the names that people know from here.
import { type ConflictsElement, defineElements, english } from 'skerry/elements';
import type { Demo } from './database.js';
import { byId } from './dom.js';
import { app } from './schema.js';

type Side = Readonly<Record<string, unknown>> | null;

const refs: Readonly<Record<string, 'people' | 'groups' | 'lists'>> = {
  person: 'people',
  group: 'groups',
  list: 'lists',
};

export function showInbox(demo: Demo): void {
  const nameOf = (prop: string, id: unknown) => {
    const table = refs[prop];
    if (table === undefined || typeof id !== 'string') return undefined;
    return demo[table].get(id)?.name ?? 'one that is not here any more';
  };
  /** Rows without a name of their own. */
  const words: Readonly<Record<string, (side: NonNullable<Side>) => string>> = {
    memberships: ({ person, group }) =>
      `Member ${nameOf('person', person)}, of group ${nameOf('group', group)}`,
    todos: ({ text }) => `Item: ${text}`,
  };
  defineElements();
  const element = byId<ConflictsElement>('inbox-entries');
  element.schema = app;
  element.messages = {
    row: (change) => {
      const side = change.base ?? change.mine ?? change.theirs;
      const own = words[change.table];
      return own && side ? own(side) : english.row(change);
    },
    value: (value, _, prop) => nameOf(prop, value),
  };
  element.db = demo;
}
