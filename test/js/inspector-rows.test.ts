/**
 * What `<skerry-inspector>` makes of a feed: rows of texts, what the filter finds, and the file of an export. Method: the feed of a database on a
 * host in memory, without a document; the element itself is in test/browser/inspector-element.test.ts.
 */
import { type InspectorView, inspect } from 'skerry/inspector';
import { memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { withView } from '../../js/elements/inspector/file.ts';
import { inEnglish } from '../../js/elements/inspector/messages.ts';
import { type SectionName, sectionNames } from '../../js/elements/inspector/section-names.ts';
import { isFound, rowsOf } from '../../js/elements/inspector/sections.ts';
import { fresh } from './support.ts';

async function viewed(): Promise<InspectorView> {
  const db = await fresh();
  const inspector = inspect(db);
  db.cities.live().subscribe(() => {});
  await db.mutate.addCity({ id: 'SE-1', name: 'Visby' }).confirmed;
  const view = await inspector.refresh();
  inspector.close();
  return view;
}
const shown = (view: InspectorView, section: SectionName) => rowsOf(view, section, inEnglish, 'en');

test('every tab has rows of texts, each under a key of its own', async () => {
  const view = await viewed();
  for (const section of sectionNames) {
    const rows = shown(view, section);
    expect(new Set(rows.map(({ key }) => key)).size, section).toBe(rows.length);
    for (const value of rows.flatMap(({ facts }) => facts.flat()))
      expect(typeof value, section).toBe('string');
  }
  const [action] = shown(view, 'actions');
  expect(action).toMatchObject({ title: 'addCity', state: 'confirmed', isWrong: false });
  expect(action?.steps[0]).toMatch(/^made \d/);
  expect(action?.steps.at(-1)).toMatch(/^confirmed \+\d+ ms$/);
});

test('numbers have their units: counts none, sizes bytes, durations ms', async () => {
  const view = await viewed();
  const storage = { ...view.storage, usage: 1_234_567, recordBytes: 999 };
  const facts = shown({ ...view, storage }, 'storage').flatMap((row) => row.facts);
  expect(Object.fromEntries(facts)).toMatchObject({
    ...{ Usage: '1.2 MB', 'Record bytes': '999 B', Streams: '0' },
  });
  const [query] = shown(view, 'queries');
  expect(Object.fromEntries(query?.facts ?? [])).toMatchObject({
    'From nothing': expect.stringMatching(/^[\d.]+ ms$/),
  });
});

test('the filter finds texts in whatever case, in titles, states, facts and steps', async () => {
  const [action] = shown(await viewed(), 'actions');
  if (!action) throw new Error('there is no action');
  for (const text of ['ADDc', 'Confirmed', 'THIS-window', 'confirmed +', ''])
    expect(isFound(action, text), text).toBe(true);
  expect(isFound(action, 'Visby')).toBe(false);
});

test('a file with a view in it is imported as any export', async () => {
  const view = await viewed();
  const from = await fresh(memory());
  await from.mutate.addCity({ id: 'SE-2', name: 'Ystad' }).confirmed;
  const file = withView(await from.export(), view);
  expect(JSON.parse(await file.text()).inspector).toEqual(view);
  const into = await fresh(memory());
  await into.import(file);
  expect(into.cities.get('SE-2')?.name).toBe('Ystad');
});
