// The package in a project of Next.js: rendered on the server, used in the browser, under a policy with a nonce for the
// framework's own inline scripts.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Front } from './support/front.ts';
import { makeProject, type Project } from './support/project.ts';
import { type Started, startServer } from './support/started.ts';
import { useApplication } from './support/visit.ts';

let project: Project;
let server: Started;
let front: Front;

beforeAll(async () => {
  project = await makeProject('next', inject('packed').tarball);
  await project.script('build');
  server = await startServer(project, 'start', /Local:\s+(http:\/\/[\w.:]+)/);
  front = await Front.start({ server: server.url, sync: inject('server'), policy: null });
});

afterAll(async () => {
  await front?.close();
  await server?.stop();
  project?.remove();
});

test('a page is rendered on the server by modules that import the package', async () => {
  const answer = await fetch(front.url);
  expect(answer.headers.get('content-security-policy')).toContain("'wasm-unsafe-eval'");
  expect(await answer.text()).toMatch(/Tables:(<!-- -->| )*notes/);
});

test('in the browser it finds worker and wasm by itself', () => useApplication(front));
