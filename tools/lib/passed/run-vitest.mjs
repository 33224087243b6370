// Runs units of vitest (units.mjs), each file in the projects that it is to run in: `node run-vitest.mjs <work.json>`. The
// command line of vitest would run a file in all projects that have it.

import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { createVitest } from 'vitest/node';
import { PassedReporter } from './reporter.mjs';
import { Stamps } from './stamps.mjs';
import { Tree } from './tree.mjs';

/** `units`: those that are to run. `all`: the names of all units of their projects. */
const work = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { root, units, all, began, stamps, report, problems } = work;
const own = new PassedReporter({ tree: new Tree(root), stamps: new Stamps(stamps), units, began });
const vitest = await createVitest('test', {
  root,
  run: true,
  watch: false,
  project: [...new Set(units.map(({ project }) => project))],
  reporters: ['default', ['json', { outputFile: report }], own],
});
const nameOf = ({ project, moduleId }) => `${project.name} ${relative(root, moduleId)}`;
const wanted = new Set(units.map(({ project, path }) => `${project} ${path}`));
const found = await vitest.globTestSpecifications();
const there = new Set(found.map(nameOf));
// A file that only one side knows would never run, or never pass.
for (const name of wanted) if (!there.has(name)) own.problems.push(`${name}: unknown to vitest`);
for (const name of there) if (!all.includes(name)) own.problems.push(`${name}: it has no key`);
await vitest.standalone();
const chosen = found.filter((each) => wanted.has(nameOf(each)));
const { testModules, unhandledErrors } = await vitest.runTestSpecifications(chosen, false);
const failed = testModules.some((module) => !module.ok()) || unhandledErrors.length > 0;
writeFileSync(problems, JSON.stringify(own.problems));
await vitest.close();
process.exit(failed || own.problems.length > 0 ? 1 : 0);
