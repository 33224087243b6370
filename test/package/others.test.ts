// The package in projects of Rollup, Parcel and Angular, by the recipe of README.md: the files that the package loads by their addresses are
// copied, beside the bundle, or elsewhere and named by `wasmUrl` and `workerUrl`.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { makeProject, type Project } from './support/project.ts';
import { useFiles } from './support/visit.ts';

describe.each([
  ['Rollup', 'rollup', 'beside'],
  ['Parcel', 'parcel', 'elsewhere'],
  ['Angular', 'angular', 'elsewhere'],
])('%s', (_name, name, folder) => {
  let project: Project;
  beforeAll(async () => {
    project = await makeProject(name, inject('packed').tarball);
    await project.script('build');
  });
  afterAll(() => project?.remove());

  test(`files copied ${folder} are found there`, () => useFiles(join(project.folder, folder)));
});
