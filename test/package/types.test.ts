// The declarations of the installed package, as strict TypeScript reads them: skipLibCheck is off, and `lib` is what templates
// of bundlers have.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makeProject, type Project } from './support/project.ts';

let project: Project;

beforeAll(async () => {
  project = await makeProject('types', inject('packed').tarball);
});

afterAll(() => project?.remove());

test.each([
  ['moduleResolution bundler', 'bundler'],
  ['moduleResolution node16', 'node16'],
  ['TypeScript 5', 'older'],
  ['TypeScript 5 and the resolution of Node 10', 'node10'],
])('compile with %s', async (_name, script) => {
  expect(await project.script(script)).not.toContain('error');
});
