// The package in a project of Rollup, by the recipe of README.md: the files that the package loads by their addresses are copied
// beside the bundle.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { makeProject, type Project } from './support/project.ts';
import { useFiles } from './support/visit.ts';

describe('Rollup', () => {
  let project: Project;
  beforeAll(async () => {
    project = await makeProject('rollup', inject('packed').tarball);
    await project.script('build');
  });
  afterAll(() => project?.remove());

  test('files copied beside are found there', () => useFiles(join(project.folder, 'beside')));
});
