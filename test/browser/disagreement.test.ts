// Goal: two people change one thing in the demo, each rightly, and together it is wrong. Whoever can put it right sees so, one does, both
// have the same, and nothing that one of them did has vanished. Method: two browsers, a real server that asks the rules or leaves them to
// the devices, and all by roles and names, as a screen reader has them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { find, gone, named, press } from './support/by-name.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { type Served, serveSmallDemo } from './support/small-demo.ts';
import { until } from './support/until.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

class Person {
  readonly profile = new Profile();
  readonly #proxy: FaultProxy;
  readonly page: Page;
  private constructor(profile: Profile, proxy: FaultProxy, page: Page) {
    this.profile = profile;
    this.#proxy = proxy;
    this.page = page;
  }

  static async of(user: string, server: string, serviceWorker: boolean): Promise<Person> {
    const profile = new Profile();
    const proxy = await FaultProxy.start(server);
    const page = await profile.window({ url: proxy.url, user, serviceWorker });
    const mode = serviceWorker ? 'service-worker' : 'lease';
    await until(page, (wanted) => demo.sync.status.mode === wanted, [mode]);
    await until(page, () => demo.cities.count() > 0, []);
    return new Person(profile, proxy, page);
  }

  /** No network, and a request has failed for it: what is made before may be on its way already, and is not held back any more. */
  async offline(): Promise<void> {
    this.#proxy.setOffline(true);
    const code = () => demo.sync.now().then(String, (error: { code: string }) => error.code);
    expect(await this.page.evaluate(code)).toBe('network');
  }

  /** Back, with all that can be pushed on the server, and all of the server here. */
  async back(): Promise<void> {
    this.#proxy.setOffline(false);
    await this.page.evaluate(() => demo.sync.now().catch(() => undefined));
    await until(this.page, () => demo.sync.status.connected, []);
    await this.page.evaluate(() => demo.sync.now());
  }

  /** Its next push reaches the server when `hold` resolves; the promise, when it has left. */
  holdPush(hold: Promise<unknown>): Promise<void> {
    this.#proxy.rules({ path: /\/v1\/push/, hold, times: 1 });
    return this.#proxy.held(/\/v1\/push/);
  }

  press(role: string, name: string): Promise<void> {
    return press(this.page, role, name);
  }

  find(role: string, name: string) {
    return find(this.page, role, name);
  }

  gone(role: string, name: string): Promise<void> {
    return gone(this.page, role, name);
  }

  async type(role: string, name: string, text: string): Promise<void> {
    const field = await this.find(role, name);
    await field.evaluate((input) => (input as HTMLInputElement).select());
    await field.type(text);
  }

  /** Searches a city, and chooses the first that is found. */
  async choose(city: string): Promise<void> {
    await this.press('tab', 'Cities');
    await this.type('searchbox', 'Search cities', city);
    await until(
      this.page,
      (name) => document.querySelector('[role=option]')?.textContent?.includes(name),
      [city],
    );
    await (await this.find('listbox', 'List of cities: arrow keys move')).focus();
    await this.page.keyboard.press('ArrowDown');
    await this.find('heading', city);
  }

  async move(people: number, where: 'in' | 'away'): Promise<void> {
    await this.type('spinbutton', 'How many people move', String(people));
    await this.press('button', `Move ${where}`);
  }

  async add(person: string): Promise<void> {
    await this.press('tab', 'Groups');
    const chooser = await this.find('combobox', 'Add a member to Map makers');
    // As on every keyboard: its first letters choose it.
    await chooser.focus();
    await this.page.keyboard.type(person);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.press('Enter');
    await this.find('button', `Remove ${person} from Map makers`);
  }

  populationOf(city: string): Promise<number | undefined> {
    return this.page.evaluate(
      (name) => demo.cities.where('name', '=', name).first()?.population,
      city,
    );
  }

  members(): Promise<string[]> {
    return this.page.evaluate(() =>
      demo.memberships
        .include('person')
        .all()
        .map(({ person }) => person?.name ?? '')
        .sort(),
    );
  }

  /** The text of a region. */
  async reads(region: string): Promise<string> {
    return (await this.find('region', region)).evaluate((box) => box.textContent ?? '');
  }

  /** What waits for a decision, and what is wrong: none of either. */
  async hasNothingToDo(): Promise<void> {
    await until(
      this.page,
      () =>
        demo.sync.status.pending === 0 &&
        demo.problems.value.length === 0 &&
        demo.conflicts.all().length === 0,
      [],
      60_000,
    );
    expect(await this.page.$(named('region', 'To be put right'))).toBeNull();
  }

  async end(): Promise<void> {
    await this.profile.remove();
    await this.#proxy.close();
  }
}

/** Both come back, and their pushes reach the server at the same moment. */
async function atOnce(people: readonly Person[]): Promise<void> {
  let release: () => void = () => {};
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sent = people.map((person) => person.holdPush(hold));
  const returned = people.map((person) => person.back());
  await Promise.all(sent);
  release();
  await Promise.all(returned);
}

describe.each([
  ['windows', false],
  ['a service worker', true],
])('where %s push', (_, serviceWorker) => {
  let served: Served;
  let ada: Person;
  let bo: Person;

  beforeAll(async () => {
    served = await serveSmallDemo({ asksRules: false });
    ada = await Person.of('ada', served.server.url, serviceWorker);
    bo = await Person.of('bo', served.server.url, serviceWorker);
  });
  afterAll(async () => {
    await ada?.end();
    await bo?.end();
    await served?.stop();
  });

  async function equal<T>(read: (person: Person) => Promise<T>, wanted: T): Promise<void> {
    for (const person of [ada, bo]) {
      await expect.poll(() => read(person), { timeout: 30_000 }).toEqual(wanted);
      await person.hasNothingToDo();
    }
  }

  test('who comes back second sees what is wrong, puts it right, and both are equal', async () => {
    for (const person of [ada, bo]) {
      await person.choose('Tarn');
      await person.offline();
      await person.move(6, 'away');
      expect(await person.populationOf('Tarn')).toBe(4);
    }
    await ada.back();
    await bo.back();
    await bo.press('button', '1 problem');
    expect(await bo.reads('To be put right')).toMatch(
      /Tarn.*The population cannot be below zero. It is -2. *Your change is stored here/,
    );
    expect(await ada.populationOf('Tarn')).toBe(4);
    await bo.press('tab', 'Groups');
    await bo.press('button', 'Tarn');
    const field = await bo.find('spinbutton', 'Population');
    expect(await field.evaluate((input) => input.getAttribute('aria-invalid'))).toBe('true');
    await bo.move(3, 'in');
    await bo.gone('button', '1 problem');
    await bo.back();
    await ada.back();
    await equal((person) => person.populationOf('Tarn'), 1);
  });

  test('a group gets a fourth member by two who each add one; one of them goes', async () => {
    // The one who comes back second has added first.
    for (const [person, member] of [
      [bo, 'Dao'],
      [ada, 'Chidi'],
    ] as const) {
      await person.offline();
      await person.add(member);
    }
    await ada.back();
    await bo.back();
    await bo.find('button', '1 problem');
    expect(await bo.reads('To be put right')).toMatch(
      /Map makers.*A group has at most 3 members. This one has 4. *Your change is stored here/,
    );
    expect(await ada.members()).toEqual(['Ada', 'Björn', 'Chidi']);
    await bo.press('tab', 'Cities');
    await bo.press('button', 'Map makers');
    await bo.press('button', 'Remove Chidi from Map makers');
    await bo.gone('button', '1 problem');
    await bo.back();
    await ada.back();
    await equal((person) => person.members(), ['Ada', 'Björn', 'Dao']);
  });

  test('both push at the same moment: both see what is wrong, one puts it right', async () => {
    for (const person of [ada, bo]) {
      await person.choose('Loch');
      await person.offline();
      await person.move(6, 'away');
    }
    await atOnce([ada, bo]);
    for (const person of [ada, bo]) {
      await person.find('button', '1 problem');
      expect(await person.reads('To be put right')).toMatch(
        /Loch.*It is -2. *Everybody sees this, and anybody can put it right/,
      );
    }
    await ada.press('button', 'Loch');
    await ada.move(2, 'in');
    for (const person of [ada, bo]) await person.gone('button', '1 problem');
    await equal((person) => person.populationOf('Loch'), 0);
  });

  test('one deletes what the other edits: the edit is in the inbox, and is settled', async () => {
    await ada.press('tab', 'Cities');
    await ada.press('button', 'Add a city');
    await ada.type('textbox', 'Name', 'Skerry');
    await ada.page.keyboard.press('Enter');
    await bo.back();
    await bo.choose('Skerry');
    await bo.offline();
    await bo.type('textbox', 'Name', 'Skerries');
    await bo.page.keyboard.press('Enter');
    await ada.press('button', 'Delete this city');
    await ada.hasNothingToDo();
    await bo.back();
    await bo.press('button', '1 decision');
    await bo.find('article', 'Edit city');
    await bo.press('button', 'Create it again');
    await bo.gone('button', '1 decision');
    await bo.back();
    await ada.back();
    await equal((person) => person.populationOf('Skerries'), 0);
    await equal((person) => person.populationOf('Skerry'), undefined);
  });

  test('saw no error in any window', () => {
    for (const { profile } of [ada, bo]) expect(profile.problems).toEqual([]);
  });
});

test.each([
  ['windows', false],
  ['a service worker', true],
])('the server refuses what two make wrong at once, where %s push', async (_, serviceWorker) => {
  const served = await serveSmallDemo({ asksRules: true });
  const people = [
    await Person.of('ada', served.server.url, serviceWorker),
    await Person.of('bo', served.server.url, serviceWorker),
  ];
  for (const person of people) {
    await person.choose('Loch');
    await person.offline();
    await person.move(6, 'away');
  }
  await atOnce(people);
  const decides = () => demo.conflicts.all().length;
  const counts = async () => {
    const all = await Promise.all(people.map(({ page }) => page.evaluate(decides)));
    return all.sort();
  };
  await expect.poll(counts, { timeout: 30_000 }).toEqual([0, 1]);
  for (const person of people) {
    expect(await person.populationOf('Loch')).toBe(4);
    if ((await person.page.evaluate(decides)) === 0) continue;
    await person.press('button', '1 decision');
    const entry = await person.find('article', 'Move people');
    const text = await entry.evaluate((article) => article.textContent);
    expect(text).toContain('The population cannot be below zero.');
    await person.press('button', 'Keep what is there');
    await person.gone('button', '1 decision');
  }
  for (const person of people) {
    await person.hasNothingToDo();
    expect(person.profile.problems).toEqual([]);
    await person.end();
  }
  await served.stop();
});

describe('what is wrong, and what is to be decided', () => {
  let served: Served;
  let ada: Person;

  beforeAll(async () => {
    served = await serveSmallDemo({ asksRules: false });
    ada = await Person.of('ada', served.server.url, false);
  });
  afterAll(async () => {
    await ada?.end();
    await served?.stop();
  });

  test('a wrong value that is typed is said at once, waits, and is mended by keyboard', async () => {
    await ada.choose('Tarn');
    await ada.type('spinbutton', 'Population', '-5');
    await ada.page.keyboard.press('Enter');
    await ada.find('button', '1 problem');
    const field = await ada.find('spinbutton', 'Population');
    const described = () =>
      field.evaluate(
        (input) =>
          document.getElementById(input.getAttribute('aria-describedby') ?? '')?.textContent,
      );
    expect(await described()).toMatch(
      /^The population cannot be below zero. It is -5. Your change/,
    );
    await ada.type('spinbutton', 'Population', '5');
    await ada.page.keyboard.press('Enter');
    await ada.gone('button', '1 problem');
    expect(await described()).toBe('');
    await ada.hasNothingToDo();
  });

  test('axe finds nothing in four looks, and nothing is cut off at 320 px', async () => {
    await ada.choose('Tarn');
    await ada.move(999, 'away');
    await ada.add('Chidi');
    await ada.add('Dao');
    await ada.find('button', '2 problems');
    await ada.page.evaluate(axe);
    for (const scheme of ['light', 'dark'])
      for (const width of [1000, 320])
        for (const tab of ['Groups', 'Cities']) {
          await ada.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
          await ada.page.setViewport({ width, height: 700 });
          await ada.press('tab', tab);
          const look = `${scheme} ${width} ${tab}`;
          expect(await faults(ada.page), look).toEqual([]);
          const wide = () =>
            document.documentElement.scrollWidth - document.documentElement.clientWidth;
          expect(await ada.page.evaluate(wide), look).toBe(0);
        }
  });
});

/** What axe finds, as text. */
function faults(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await checker.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}
