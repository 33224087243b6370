// What every project's page has to do in a real Chromium, and that nothing is said against it meanwhile.
import type { Page } from 'puppeteer-core';
import { expect, inject } from 'vitest';
import { Profile } from '../../browser/support/browser.ts';
import { patience } from '../../support/patience.ts';
import { Front } from './front.ts';

const LIMIT_MS = patience(30_000);

/** A window of a page of these projects. */
export class Visit {
  readonly #profile = new Profile();
  readonly #front: Front;
  #page: Page | undefined;
  /** Errors in the console, uncaught ones, and what the policy refused. */
  readonly problems: string[] = [];

  constructor(front: Front) {
    this.#front = front;
  }

  get page(): Page {
    if (!this.#page) throw new Error('nothing has been opened yet');
    return this.#page;
  }

  /** Opens the page. Resolves when its databases are open. */
  async open(path = '/'): Promise<void> {
    const page = await (await this.#profile.browser()).newPage();
    this.#page = page;
    await page.emulateFocusedPage(true);
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warn')
        this.problems.push(`${message.text()} (${message.location().url})`);
    });
    await page.exposeFunction('refused', (what: string) => this.problems.push(what));
    await page.evaluateOnNewDocument(() => {
      const { refused } = globalThis as unknown as { refused(what: string): void };
      document.addEventListener('securitypolicyviolation', (event) =>
        refused(`${event.violatedDirective} refused ${event.blockedURI}`),
      );
    });
    await page.goto(`${this.#front.url}${path}`, { waitUntil: 'domcontentloaded' });
    await this.shows('#status', 'ready');
  }

  /** Resolves when the element has this text. */
  async shows(selector: string, text: string): Promise<void> {
    try {
      await this.page.waitForFunction(
        (css, wanted) => document.querySelector(css)?.textContent === wanted,
        { timeout: LIMIT_MS, polling: 20 },
        selector,
        text,
      );
    } catch (error) {
      const seen = await this.page.evaluate(() => document.body.innerText);
      const missing = this.#front.missing.join(', ');
      throw new Error(
        `${selector} does not show ${text}. The page: ${seen}\nProblems: ${this.problems.join('\n')}\nNot found: ${missing}`,
        { cause: error },
      );
    }
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await this.shows('#status', 'ready');
  }

  /** Not by the mouse: the button may move, since the lines above it fill while the page synchronises. */
  async #press(selector: string): Promise<void> {
    await this.page.$eval(selector, (button) => (button as HTMLElement).click());
  }

  /** Writes a note; resolves when the server has it. */
  async add(text: string): Promise<void> {
    await this.page.type('#text', text);
    await this.#press('#add');
    await this.shows('#status', 'confirmed');
  }

  notes(): Promise<string[]> {
    return this.page.$$eval('#notes li', (items) => items.map((item) => item.textContent ?? ''));
  }

  /** Writes as much as becomes an image, which takes the third module; resolves when it is there. */
  async fillArchive(): Promise<void> {
    await this.#press('#fill');
    const images = () =>
      this.page.evaluate(async () => {
        const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
        return names.filter((name) => name.startsWith('/skerry/archive/')).length;
      });
    await expect.poll(images, { timeout: LIMIT_MS, interval: 50 }).toBeGreaterThan(0);
    await this.shows('#archived', '20000');
  }

  /** Nothing was said in the console, refused by the policy, or not found but what may be. */
  expectNoProblem(mayMiss: readonly string[] = []): void {
    expect(this.problems).toEqual([]);
    expect(this.#front.violations).toEqual([]);
    expect(this.#front.missing.filter((path) => !mayMiss.includes(path))).toEqual([]);
  }

  close(): Promise<void> {
    return this.#profile.remove();
  }
}

/** The whole of it: a note is durable, confirmed by the server, there after a reload; an image is made, and read. */
export async function useApplication(front: Front, path = '/'): Promise<void> {
  const visit = new Visit(front);
  try {
    await visit.open(path);
    const text = `Written at ${front.url}`;
    await visit.add(text);
    await visit.fillArchive();
    await visit.reload();
    expect(await visit.notes()).toContain(text);
    await visit.shows('#archived', '20000');
    visit.expectNoProblem();
  } finally {
    await visit.close();
  }
}

/** The same with what a bundler has made: files, served under the policy. */
export async function useFiles(files: string): Promise<void> {
  const front = await Front.start({ files, sync: inject('server') });
  try {
    await useApplication(front);
  } finally {
    await front.close();
  }
}
