// The package in a project of esbuild, which copies nothing that is named by `new URL(…, import.meta.url)`: the files are
// copied by one line of the project's own, beside the bundle, or elsewhere and named by `wasmUrl` and `workerUrl`.
import { join } from 'node:path';
import { afterAll, beforeAll, inject, test } from 'vitest';
import { makeProject, type Project } from './support/project.ts';
import { useFiles } from './support/visit.ts';

let project: Project;

beforeAll(async () => {
  project = await makeProject('esbuild', inject('packed').tarball);
  await project.script('build');
  await project.script('build-classic');
});

afterAll(() => project?.remove());

test('files copied beside the bundle are found there', () =>
  useFiles(join(project.folder, 'beside')));

test('finds files elsewhere by wasmUrl and workerUrl, in a bundle that is no module', () =>
  useFiles(join(project.folder, 'elsewhere')));
