// The package in a project of Vite: its production build under a Content-Security-Policy, with the windows' own workers and
// with the ready-made service worker; and its dev server, which bundles dependencies by itself before they are served.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Front } from './support/front.ts';
import { makeProject, type Project } from './support/project.ts';
import { startServer } from './support/started.ts';
import { useApplication, useFiles, Visit } from './support/visit.ts';

let project: Project;

beforeAll(async () => {
  project = await makeProject('vite', inject('packed').tarball);
  await project.script('public');
  await project.script('build');
});

afterAll(() => project?.remove());

async function useDevServer(of: Project): Promise<void> {
  const server = await startServer(of, 'dev', /Local:\s+(http:\/\/[\d.:]+)/);
  const front = await Front.start({ server: server.url, sync: inject('server') });
  try {
    await useApplication(front);
  } finally {
    await front.close();
    await server.stop();
  }
}

/** A window of the production build. */
async function visiting(visit: (window: Visit, front: Front) => Promise<void>): Promise<void> {
  const front = await Front.start({ files: join(project.folder, 'dist'), sync: inject('server') });
  const window = new Visit(front);
  try {
    await visit(window, front);
  } finally {
    await window.close();
    await front.close();
  }
}

test('a production build finds worker and wasm by itself', () =>
  useFiles(join(project.folder, 'dist')));

test('the dev server finds worker and wasm of the dependency that it has bundled', () =>
  useDevServer(project));

test('Vite 7, which splits no worker, finds them too; its dev server by one line', async () => {
  const older = await makeProject('vite', inject('packed').tarball, 'vite-7');
  try {
    await older.script('build');
    await useFiles(join(older.folder, 'dist'));
    await useDevServer(older);
  } finally {
    older.remove();
  }
}, 300_000);

test('the ready-made service worker in public/ pushes', () =>
  visiting(async (window) => {
    await window.open('/?service');
    await window.shows('#mode', 'service-worker');
    await window.add('by the service worker');
    await window.reload();
    expect(await window.notes()).toContain('by the service worker');
    await window.shows('#mode', 'service-worker');
    // It looks beside itself first, and then where the windows have theirs.
    window.expectNoProblem(['/skerry.wasm']);
  }));

test('what the policy forbids is noticed', () =>
  visiting(async (window, front) => {
    await window.open();
    await window.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlined = true';
      document.body.append(script);
    });
    const refused = 'script-src-elem refused inline';
    await expect.poll(() => window.problems, { timeout: 10_000 }).toContain(refused);
    await expect.poll(() => front.violations.length, { timeout: 10_000 }).toBe(1);
  }));
