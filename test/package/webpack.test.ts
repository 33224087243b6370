// The package in a project of webpack without a configuration.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makeProject, type Project } from './support/project.ts';
import { useFiles } from './support/visit.ts';

let project: Project;
let output: string;

beforeAll(async () => {
  project = await makeProject('webpack', inject('packed').tarball);
  output = await project.script('build');
});

afterAll(() => project?.remove());

test('a production build says nothing against the package', () => {
  // Its own warning about weight is of all applications with wasm.
  expect(output).not.toMatch(/critical dependency|module not found|error/i);
});

test('it finds worker and wasm by itself', () => useFiles(join(project.folder, 'dist')));
