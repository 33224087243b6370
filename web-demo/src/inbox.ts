// The inbox: changes that did not take effect, with what they wanted and what is there now. The package's element shows and settles
// them; it gets the names that people know from here.
import { type ConflictsElement, defineElements, english } from 'skerry/elements';
import type { Demo } from './database.js';
import { byId } from './dom.js';
import { app } from './schema.js';

type Side = Readonly<Record<string, unknown>> | null;

export function showInbox(demo: Demo): void {
  const nameIn = (table: 'people' | 'groups' | 'lists', id: unknown) =>
    typeof id === 'string' ? demo[table].get(id)?.name : undefined;
  const membership = (side: Side) =>
    side &&
    `${nameIn('people', side['person']) ?? 'Someone'} in ${nameIn('groups', side['group']) ?? 'a group that is gone'}`;
  const refs: Readonly<Record<string, 'people' | 'groups' | 'lists'>> = {
    person: 'people',
    group: 'groups',
    list: 'lists',
  };
  defineElements();
  const element = byId<ConflictsElement>('inbox-entries');
  element.schema = app;
  element.messages = {
    row: (change) =>
      (change.table === 'memberships' && membership(change.mine ?? change.theirs ?? change.base)) ||
      english.row(change),
    value: (value, _, prop) => {
      const table = refs[prop];
      return table && nameIn(table, value);
    },
  };
  element.db = demo;
}
