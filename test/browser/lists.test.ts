// Goal: three people share a list in the demo, from founding to removal, by what they click and type. Method: three
// profiles, one of them as narrow as a phone, and the real server.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Viewport } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile, ready } from './support/browser.ts';
import { root } from './support/paths.ts';
import { TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const profiles = [new Profile(), new Profile(), new Profile()] as const;
const shots = join(root, 'build', 'screenshots');
let server: TestServer;
let ada: Page;
let bo: Page;
let cy: Page;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  server = await TestServer.start({ asks: true });
  const open = async (profile: Profile, user: string, viewport: Viewport | null = null) => {
    const page = await profile.window({ url: server.url, user });
    // A page that becomes one of a phone is loaded again.
    if (viewport) {
      await page.setViewport(viewport);
      await page.reload({ waitUntil: 'domcontentloaded' });
      await ready(page);
    }
    await page.click('[data-tab=lists]');
    return page;
  };
  ada = await open(profiles[0], 'ada');
  bo = await open(profiles[1], 'bo', { width: 390, height: 844, isMobile: true });
  cy = await open(profiles[2], 'cy');
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await server?.stop();
});

const shows = (page: Page, text: string) =>
  until(page, (wanted) => document.querySelector('#tab-lists')?.textContent?.includes(wanted), [
    text,
  ]);
const hides = (page: Page, selector: string) =>
  until(page, (which) => document.querySelector(which) === null, [selector]);

// What is clicked may be replaced at that moment, when a change is confirmed: locators try again.
async function submit(page: Page, form: string, text: string): Promise<void> {
  await page.type(`${form} input`, text);
  await page.click(`${form} button`);
}
/** Answers the invitation that the page shows. */
async function answer(page: Page, inviter: string, button: 'Accept' | 'Decline'): Promise<void> {
  await shows(page, `${inviter} invites you to a list`);
  await page.locator(`#invitations ::-p-text(${button})`).click();
  await hides(page, '#invitations li');
}
const adding = '.list form:nth-of-type(1)';
const inviting = '.list form:nth-of-type(2)';

test('a list is made, shared, filled by two, and read by the third', async () => {
  await submit(ada, '#list-form', 'Groceries');
  await shows(ada, 'Groceries');
  await submit(ada, adding, 'Milk');
  await submit(ada, inviting, 'bo');
  await shows(ada, 'bo (invited)');
  await shows(bo, 'ada invites you to a list, as writer.');
  await bo.screenshot({ path: join(shots, 'invited-phone.png') });
  await answer(bo, 'ada', 'Accept');
  await shows(bo, 'Milk');
  await submit(bo, adding, 'Bread');
  await shows(ada, 'Bread');
  await ada.select(`${inviting} select`, 'reader');
  await submit(ada, inviting, 'cy');
  await answer(cy, 'ada', 'Accept');
  await shows(cy, 'Bread');
  await bo.locator('.todos input').click();
  await until(ada, () => document.querySelectorAll('.todos input:checked').length === 1, []);
  // A reader sees all, and can change nothing.
  await until(cy, () => document.querySelectorAll('.todos input:disabled').length === 2, []);
  expect(await cy.$eval(adding, (form) => (form as HTMLElement).hidden)).toBe(true);
  for (const page of [bo, cy])
    expect(await page.$eval(inviting, (form) => (form as HTMLElement).hidden)).toBe(true);
  // The list fits a phone.
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  expect(await bo.evaluate(fits)).toBe(true);
  await ada.screenshot({ path: join(shots, 'lists.png') });
  await bo.screenshot({ path: join(shots, 'lists-phone.png') });
});

const saying = '.list .chat form';
const said = (page: Page) =>
  page.$$eval('.messages li', (all) => all.map((item) => item.lastElementChild?.textContent));

test('people chat about the list, offline, too; a reader only reads', async () => {
  await submit(ada, saying, 'Anything else?');
  await shows(bo, 'Anything else?');
  await bo.setOfflineMode(true);
  await submit(bo, saying, 'Cheese');
  await shows(bo, 'Cheese');
  expect(await bo.$$eval('.messages .pending', (all) => all.length)).toBe(1);
  await submit(ada, saying, 'Hurry');
  await bo.setOfflineMode(false);
  await shows(ada, 'Cheese');
  await shows(bo, 'Hurry');
  await until(bo, () => document.querySelector('.messages .pending') === null, []);
  expect(await said(bo)).toEqual(await said(ada));
  await shows(cy, 'Cheese');
  expect(await cy.$eval(saying, (form) => (form as HTMLElement).hidden)).toBe(true);
  // It is there after a reload, and older messages come when they are asked for.
  for (let i = 0; i < 60; i++) await submit(ada, saying, `line ${i}`);
  await shows(bo, 'line 59');
  await bo.reload({ waitUntil: 'domcontentloaded' });
  await ready(bo);
  await bo.click('[data-tab=lists]');
  await until(bo, () => document.querySelectorAll('.messages li').length === 50, []);
  // A click at a place may miss: messages that arrive move the button.
  await bo.$eval('.chat > button', (button) => (button as HTMLButtonElement).click());
  const answered = () =>
    document.querySelectorAll('.messages li').length > 50 ||
    document.querySelector('.chat > button')?.textContent !== 'Earlier';
  await until(bo, answered, []);
  await shows(bo, 'Anything else?');
  await submit(ada, saying, 'Bye');
  await shows(bo, 'Bye');
  expect((await said(bo)).slice(-3)).toEqual(['line 58', 'line 59', 'Bye']);
  expect(await said(bo)).toHaveLength(64);
  await bo.screenshot({ path: join(shots, 'chat-phone.png') });
});

test('the log says who did what and when, in one order for everybody', async () => {
  const log = (page: Page) =>
    page.$$eval('.activity li', (all) => all.map((item) => item.textContent ?? ''));
  await until(bo, () => document.querySelector('.activity .pending') === null, []);
  const hers = await log(ada);
  expect(await log(bo)).toEqual(hers);
  expect(await log(cy)).toEqual(hers);
  // The newest first.
  const what = hers.map((line) => line.replace(/^\S+(?: [AP]M)? /, ''));
  expect(what.at(-1)).toMatch(/^ada(added|invited): /);
  expect(what.some((line) => line.startsWith('bo'))).toBe(true);
  expect(what.some((line) => line.includes('invited: bo, writer'))).toBe(true);
  await bo.click('.activity summary');
  await bo.screenshot({ path: join(shots, 'activity-phone.png') });
});

test('a role changes what its member can do, at once', async () => {
  await ada.locator('[data-member=cy] select').fill('writer');
  await until(cy, () => document.querySelectorAll('.todos input:disabled').length === 0, []);
  await submit(cy, adding, 'Salt');
  await shows(bo, 'Salt');
  await ada.locator('[data-member=bo] select').fill('reader');
  await until(bo, (form) => document.querySelector<HTMLElement>(form)?.hidden, [adding]);
});

test('a list vanishes at once for users removed or leaving; the last owner cannot', async () => {
  await ada.locator('[data-member=bo] button').click();
  await hides(bo, '.list');
  await shows(bo, 'You no longer see “Groceries”.');
  expect(await bo.evaluate(() => [demo.todos.count(), demo.lists.count()])).toEqual([0, 0]);
  await ada.click('.list header button');
  await shows(ada, 'A realm with members must have an owner.');
  await cy.click('.list header button');
  await hides(cy, '.list');
  await hides(ada, '[data-member=cy]');
  await ada.click('.list header button');
  await hides(ada, '.list');
});
