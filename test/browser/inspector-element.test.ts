// Goal: <skerry-inspector> shows the feed to people: by tabs, with a filter, a pause and an export that a new profile imports; by the keyboard
// alone, in dark, from right to left and on a narrow screen; and a page loads nothing of it before somebody opens it. Method: real windows over a
// real server, by roles and names; axe over each tab in each look; the demo for what is loaded.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'puppeteer-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withProfile } from './support/browser.ts';
import { addNote, feed, windowOf } from './support/inspected.ts';
import { caughtUp, inStep, opened } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { TwoDevices } from './support/two-devices.ts';
import { until } from './support/until.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const devices = new TwoDevices();
let page: Page;

beforeEach(() => devices.newDevice());
afterEach(() => {
  expect(devices.profile.problems).toEqual([]);
});

/** An element of the inspector's, by its role and name. */
const named = (role: string, name: string) =>
  `skerry-inspector >>> ::-p-aria([role="${role}"][name="${name}"])`;
const press = async (role: string, name: string) => {
  const found = await page.waitForSelector(named(role, name), { timeout: 20_000 });
  await found?.click();
};
const rows = () =>
  page.evaluate(() =>
    [
      ...(document.querySelector('skerry-inspector')?.shadowRoot?.querySelectorAll('.row') ?? []),
    ].map((row) => (row as HTMLElement).innerText),
  );
const said = () =>
  page.evaluate(
    () =>
      document.querySelector('skerry-inspector')?.shadowRoot?.querySelector('[role=status]')
        ?.textContent,
  );

async function shown(): Promise<void> {
  page = await windowOf(devices, 'lease');
  await page.evaluate(() => showInspector());
  await page.waitForSelector(named('tab', 'State'));
}

async function confirmed(title: string): Promise<void> {
  await addNote(page, title);
  await page.evaluate(() => kit.made.confirmed);
}

describe('<skerry-inspector>', () => {
  test('filters the rows of a tab', async () => {
    await shown();
    await confirmed('Milk');
    await page.evaluate(() => db.mutate.addList({ name: 'Tools' }).confirmed);
    await press('tab', 'Actions');
    await expect.poll(rows).toHaveLength(2);
    await expect
      .poll(async () => (await rows()).join())
      .toMatch(/addList\s+confirmed[\s\S]*addNote/);
    await (await page.waitForSelector(named('searchbox', 'Filter')))?.type('ADDN');
    await expect.poll(rows).toHaveLength(1);
    expect((await rows())[0]).toMatch(/^addNote\s+confirmed/);
    await page.keyboard.type('x');
    await page.waitForSelector('skerry-inspector >>> ::-p-text(Nothing here has this text.)');
    for (let letter = 0; letter < 5; letter++) await page.keyboard.press('Backspace');
    await expect.poll(rows).toHaveLength(2);
  });

  test('stands still while it is paused, and shows all afterwards', async () => {
    await shown();
    await press('tab', 'Actions');
    await confirmed('Milk');
    await expect.poll(rows).toHaveLength(1);
    await press('button', 'Pause');
    await expect.poll(said).toMatch(/^Paused at /);
    await page.evaluate(() => inspectHere());
    await confirmed('Bread');
    // The same feed has it by now.
    await feed(
      page,
      ({ actions }) => actions[0]?.steps.at(-1)?.is === 'confirmed' && actions.length === 2,
    );
    expect(await rows()).toHaveLength(1);
    await press('button', 'Pause');
    await expect.poll(rows).toHaveLength(2);
    expect(await said()).toBe('');
  });

  test('exports a file that a new profile imports, with the view in it', async () => {
    await shown();
    await confirmed('Exported');
    devices.proxy.rules({ path: /\/v1\/push/, fault: 'refuse' });
    const pending = await addNote(page, 'Pending');
    await page.evaluate(() => kit.made.durable);
    await press('button', 'Export');
    await until(page, () => globalThis.offered !== null, []);
    expect(await said()).toMatch(/^Exported as test-.*\.json\.$/);
    const text = await page.evaluate(() => offered?.file.text() as Promise<string>);
    const { inspector } = JSON.parse(text);
    expect(inspector).toMatchObject({ version: 1, outbox: { pendingCount: 1 } });
    expect(inspector.actions[0].id).toBe(pending);
    await page.close();
    devices.proxy.rules();
    await withProfile(async (profile) => {
      const fresh = await opened(profile, devices.proxy.url, { user: devices.user });
      await inStep(fresh);
      await fresh.evaluate((file) => db.import(new Blob([file])), text);
      await caughtUp(fresh);
      const titles = () =>
        db.notes
          .where('title', 'in', ['Exported', 'Pending'])
          .orderBy('title')
          .all()
          .map(({ title }) => title);
      expect(await fresh.evaluate(titles)).toEqual(['Exported', 'Pending']);
    });
  });

  test('works by the keyboard: arrows, Home and End, also from right to left', async () => {
    await shown();
    const focused = () =>
      page.evaluate(() => {
        const inside = document.activeElement?.shadowRoot?.activeElement;
        return inside?.getAttribute('aria-label') ?? inside?.textContent?.trim() ?? inside?.id;
      });
    const onKey = async (key: 'Tab' | 'ArrowRight' | 'ArrowLeft' | 'Home' | 'End' | 'Space') => {
      await page.keyboard.press(key);
      return focused();
    };
    expect(await onKey('Tab')).toBe('Filter');
    expect(await onKey('Tab')).toBe('Pause');
    expect(await onKey('Tab')).toBe('Export');
    expect(await onKey('Tab')).toBe('State');
    expect(await onKey('ArrowRight')).toBe('Actions');
    expect(await onKey('ArrowLeft')).toBe('State');
    expect(await onKey('ArrowLeft')).toBe('Log');
    expect(await onKey('Home')).toBe('State');
    expect(await onKey('End')).toBe('Log');
    await page.evaluate(() => {
      document.documentElement.dir = 'rtl';
    });
    expect(await onKey('ArrowRight')).toBe('Requests');
    expect(await page.$eval(named('tab', 'Requests'), (tab) => tab.ariaSelected)).toBe('true');
    expect(await page.$eval(named('tabpanel', 'Requests'), (panel) => panel.id)).toBe('panel');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id)).toBe(
      'panel',
    );
  });

  test('axe finds nothing in four looks of each tab, and nothing is cut off at 320 px', async () => {
    await shown();
    await confirmed(`${'x'.repeat(300)} ${'רשימת קניות '.repeat(20)}`);
    await page.evaluate((name) => {
      db.notes
        .where('title', '=', name)
        .live()
        .subscribe(() => {});
    }, 'y'.repeat(300));
    await page.addStyleTag({ content: ':root { color-scheme: light dark; } body { margin: 0; }' });
    await page.evaluate(axe);
    const looks = [
      ['light', 'ltr', 1000],
      ['dark', 'ltr', 1000],
      ['light', 'rtl', 320],
      ['dark', 'ltr', 320],
    ] as const;
    for (const [scheme, direction, width] of looks) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport({ width, height: 800 });
      await page.evaluate((dir) => {
        document.documentElement.dir = dir;
      }, direction);
      for (const tab of ['State', 'Actions', 'Queries', 'Requests', 'Storage', 'Problems']) {
        await press('tab', tab);
        expect(await faults(), `${tab} ${scheme} ${direction} ${width}`).toEqual([]);
        const wide = () =>
          document.documentElement.scrollWidth - document.documentElement.clientWidth;
        expect(await page.evaluate(wide), `${tab} ${scheme} ${direction} ${width}`).toBe(0);
      }
    }
  });

  test('speaks another language, and collects nothing once it is removed', async () => {
    page = await windowOf(devices, 'lease');
    await page.evaluate(() => showInspector({ pause: 'Anhalten', fact: (name) => `ü ${name}` }));
    await page.waitForSelector(named('button', 'Anhalten'));
    await page.waitForSelector('skerry-inspector >>> ::-p-text(ü phase)');
    await page.evaluate(() => {
      inspectHere();
      document.querySelector('skerry-inspector')?.remove();
      inspector.close();
    });
    const { at } = await page.evaluate(() => readFeed());
    await confirmed('Unseen');
    expect(await page.evaluate(() => readFeed())).toMatchObject({ at, actions: [] });
  });

  /** What axe finds, as text. */
  async function faults(): Promise<string[]> {
    return page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await checker.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  }
});

test('the demo loads the inspector when somebody opens it, and not before', async () => {
  const server = await TestServer.start();
  try {
    await withProfile(async (profile) => {
      page = await profile.window({ url: server.url });
      const chunks = () =>
        page.evaluate(() =>
          performance
            .getEntriesByType('resource')
            .map(({ name }) => new URL(name).pathname)
            .filter((path) => path.includes('inspector')),
        );
      await page.evaluate(() => demo.mutate.addCity({ name: 'Visby', country: 'SE' }).confirmed);
      await page.waitForSelector('#cities-sizer .row');
      expect(await chunks()).toEqual([]);
      expect(await page.evaluate(() => customElements.get('skerry-inspector'))).toBeUndefined();
      await page.click('#inspect summary');
      await page.waitForSelector(named('tab', 'Actions'));
      expect(await chunks()).toHaveLength(1);
      await press('tab', 'Actions');
      await page.evaluate(() => demo.mutate.addCity({ name: 'Ystad', country: 'SE' }).confirmed);
      await expect.poll(rows).toHaveLength(1);
      await expect.poll(async () => (await rows())[0]).toMatch(/^addCity\s+confirmed/);
      expect(profile.problems).toEqual([]);
    });
  } finally {
    await server.stop();
  }
});
