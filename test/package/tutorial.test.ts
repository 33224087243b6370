// docs/guide/tutorial.md, followed to the letter: its files and its commands, in a fresh project of Vite with the packed
// package, in two browsers. Only the port is another one, and what npm has installed is there already.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Profile } from '../browser/support/browser.ts';
import { root } from '../browser/support/paths.ts';
import { makeProject, type Project } from './support/project.ts';

const START_LIMIT_MS = 60_000;
const LIMIT_MS = 30_000;

/** What is between two headings of the page. */
interface Chapter {
  /** By their paths, in the order of the page. */
  readonly files: ReadonlyMap<string, string>;
  readonly commands: readonly string[];
}

function chapters(): readonly Chapter[] {
  const text = readFileSync(join(root, 'docs/guide/tutorial.md'), 'utf8');
  return text.split(/^## /m).map((part) => ({
    files: new Map(
      [...part.matchAll(/^`([^`]+)`\n\n```(?:js|html)\n([\s\S]*?)```/gm)].map(
        ([, path = '', content = '']) => [path, content],
      ),
    ),
    commands: [...part.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    ),
  }));
}

const [before, plain, realTime, offline] = chapters();
const ada = new Profile();
const bo = new Profile();
let project: Project;
let port = 0;
let server: ChildProcess | undefined;
let one: Page;
let two: Page;
let other: Page;

async function freePort(): Promise<number> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => probe.listen(0, 'localhost', resolve));
  const { port: found } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return found;
}

const url = (user = '') => `http://localhost:${port}/${user && `?user=${user}`}`;

/** The command as the page has it, without npx, which would ask the registry. */
const shell = (command: string) => {
  const bins = [project.folder, root].map((folder) => join(folder, 'node_modules', '.bin'));
  return {
    line: `exec ${command.replace(/^npx /, '').replace('8787', String(port))}`,
    options: {
      cwd: project.folder,
      env: { ...project.env, PATH: [...bins, process.env['PATH']].join(delimiter) },
    },
  };
};

function run(command: string): void {
  const { line, options } = shell(command);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
    ...options,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}\n${stderr}`);
}

/** Starts the server of this command; resolves when something answers at the port. */
async function serve(command: string): Promise<void> {
  await stop();
  const { line, options } = shell(command);
  const child = spawn('sh', ['-c', line], { ...options, stdio: 'inherit', detached: true });
  server = child;
  await expect
    .poll(
      async () => {
        if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
        return fetch(url()).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      { timeout: START_LIMIT_MS, interval: 100 },
    )
    .toBe(true);
}

async function stop(): Promise<void> {
  const child = server;
  server = undefined;
  if (!child?.pid || child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, 'SIGINT'); // as Ctrl-C does
  await ended;
}

/** Writes the files of the chapter, and runs its commands, of which the last is a server. */
async function follow({ files, commands }: Chapter): Promise<void> {
  for (const [path, content] of files) {
    const file = join(project.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  for (const command of commands.slice(0, -1)) run(command);
  await serve(commands.at(-1) ?? '');
}

/** Loads the page. Resolves when its script has run to the end, with the database open. */
async function load(page: Page, address = page.url()): Promise<void> {
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  await page.waitForFunction(() => document.querySelector<HTMLFormElement>('#add')?.onsubmit, {
    timeout: START_LIMIT_MS,
  });
}

/** What people were asked; they agree. */
const asked: string[] = [];

async function window(profile: Profile, address: string): Promise<Page> {
  const page = await (await profile.browser()).newPage();
  await page.emulateFocusedPage(true);
  page.on('pageerror', (error) => profile.problems.push(String(error)));
  page.on('dialog', (dialog) => {
    if (dialog.type() === 'confirm') {
      asked.push(dialog.message());
      void dialog.accept();
      return;
    }
    profile.problems.push(dialog.message());
    void dialog.dismiss();
  });
  await load(page, address);
  return page;
}

/** Its lines without their buttons, such as `Row out (1)`. */
const lines = (page: Page) =>
  page.$$eval('li', (items) => items.map((item) => item.firstChild?.textContent?.trim() ?? ''));

const shows = (page: Page, wanted: readonly string[]) =>
  expect.poll(() => lines(page), { timeout: LIMIT_MS, interval: 20 }).toEqual(wanted);

const says = (page: Page, wanted: RegExp) =>
  expect
    .poll(() => page.$eval('#status', (element) => element.textContent), {
      timeout: LIMIT_MS,
      interval: 20,
    })
    .toMatch(wanted);

async function submit(page: Page, form: string, text: string): Promise<void> {
  await page.type(`${form} input`, text);
  await page.click(`${form} button`);
}

/** Presses the button of the line that begins so. */
const press = (page: Page, line: string, label: string) =>
  page.evaluate(
    (start, name) => {
      const item = [...document.querySelectorAll('li')].find((each) =>
        each.textContent?.startsWith(start),
      );
      const button = [...(item?.querySelectorAll('button') ?? [])].find(
        (each) => each.textContent === name,
      );
      if (!button) throw new Error(`no button ${name} at ${start}`);
      button.click();
    },
    line,
    label,
  );

beforeAll(async () => {
  project = await makeProject('vite', inject('packed').tarball);
  port = await freePort();
});

afterAll(async () => {
  await ada.remove();
  await bo.remove();
  await stop();
  project?.remove();
});

test('it installs what the project of this test has', () => {
  expect(before?.commands.map((command) => command.split(' ').slice(0, 2).join(' '))).toEqual([
    'mkdir todo',
    'npm install',
    'npm install',
  ]);
  expect(offline?.files.size).toBeGreaterThan(0);
});

test('chapter 1: two windows have what was added, also after a reload', async () => {
  if (!plain) throw new Error('there is no chapter 1');
  await follow(plain);
  one = await window(ada, url());
  two = await window(ada, url());
  await submit(one, '#add', 'Row out');
  await shows(two, ['Row out (0)']);
  await press(two, 'Row out', '+1');
  await shows(one, ['Row out (1)']);
  await load(one);
  await shows(one, ['Row out (1)']);
  await stop();
});

test('chapter 2: Ada’s rows are there, shared with Bo, and both votes count', async () => {
  if (!realTime) throw new Error('there is no chapter 2');
  await follow(realTime);
  await two.close();
  await load(one, url());
  await shows(one, ['Row out (1)']);
  other = await window(bo, url('bo'));
  await shows(other, []);
  await submit(one, '#share', 'bo');
  await shows(other, ['Row out (1)']);
  expect(asked).toEqual(['ada shares to-dos with you. Do you want to see them?']);
  await Promise.all([press(one, 'Row out', '+1'), press(other, 'Row out', '+1')]);
  for (const page of [one, other]) await shows(page, ['Row out (3)']);
  await submit(other, '#add', 'Bail');
  await shows(one, ['Row out (3)', 'Bail (0)']);
  await press(one, 'Bail', 'Done');
  await shows(other, ['Row out (3)', '✓ Bail (0)']);
  await press(other, '✓ Bail', 'Delete');
  await shows(one, ['Row out (3)']);
  await stop();
});

test('chapter 3: nothing is lost without a server, and after the browser’s end', async () => {
  if (!offline) throw new Error('there is no chapter 3');
  await follow(offline);
  await load(one, url());
  await one.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await load(one);
  await says(one, /^Everything is saved on the server \(service-worker\)/);
  await stop();
  await load(one);
  await shows(one, ['Row out (3)']);
  await submit(one, '#add', 'Hoist the flag');
  two = await window(ada, url());
  await shows(two, ['Row out (3)', 'Hoist the flag (0)']);
  await press(two, 'Row out', '+1');
  await shows(one, ['Row out (4)', 'Hoist the flag (0)']);
  for (const page of [one, two]) await says(page, /^2 to be sent/);
  await ada.close();

  await serve(offline.commands.at(-1) ?? '');
  await load(other);
  await shows(other, ['Row out (3)']);
  await press(other, 'Row out', '+1');
  one = await window(ada, url());
  await says(one, /^Everything is saved on the server/);
  for (const page of [one, other]) await shows(page, ['Row out (5)', 'Hoist the flag (0)']);
  expect([...ada.problems, ...bo.problems]).toEqual([]);
});
