// Runs the files of vitest's projects that have not passed before with the same key.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projects } from '../../../test/support/projects.mjs';
import { browserEnvironment } from '../browsers.mjs';
import { failuresOfText, failuresOfVitest } from '../failures.mjs';
import { build, root } from '../paths.mjs';
import { run } from '../run.mjs';
import { projectFacts } from './facts.mjs';
import { Tree } from './tree.mjs';
import { testsOf, Units } from './units.mjs';

const program = fileURLToPath(new URL('run-vitest.mjs', import.meta.url));
const folder = join(build, 'test-results');

/** The units of these projects; a project that always runs has no keys. */
async function unitsOf(names) {
  const tree = new Tree(root);
  const units = new Units(tree, await projectFacts(names));
  return names.flatMap((project) =>
    projects[project].always
      ? testsOf(tree, project).map((path) => ({ project, path, files: [], key: null }))
      : units.all(project),
  );
}

/** Runs projects, with the files of all of them side by side: no project waits for another. */
export async function vitest(names, { stamps, fresh, began }) {
  const units = await unitsOf(names);
  const stamp = ({ key }) => (fresh || key === null ? undefined : stamps.get(key));
  const before = units.map(stamp).filter(Boolean);
  const stale = units.filter((unit) => !stamp(unit));
  const sum = (records, name) => records.reduce((total, record) => total + record[name], 0);
  const counts = { before: sum(before, 'passed'), skipped: sum(before, 'skipped') };
  if (before.length > 0)
    console.log(`  ${before.length} files passed before, ${stale.length} are to be run`);
  if (stale.length === 0) return { passed: 0, failed: 0, ...counts };
  mkdirSync(folder, { recursive: true });
  const file = (kind) => join(folder, `${names.join('-')}${kind}.json`);
  const [work, report, problems] = ['-work', '', '-problems'].map(file);
  for (const path of [report, problems]) rmSync(path, { force: true });
  const all = units.map(({ project, path }) => `${project} ${path}`);
  const paths = { root, stamps: stamps.folder, report, problems };
  writeFileSync(work, JSON.stringify({ ...paths, units: stale, all, began }));
  // The bundlers in the packed package's projects are programs of others, and their keys have the whole package.
  const watched = names.every((name) => name !== 'package' && !projects[name].always);
  const watch = watched ? { SKERRY_TEST_WATCH: 'yes' } : {};
  const env = { NO_COLOR: '1', ...browserEnvironment(), ...watch };
  const options = { cwd: root, env, allowFailure: true, stream: true };
  const { code, output } = await run(process.execPath, [program, work], options);
  if (!existsSync(report)) return { passed: 0, failed: 1, ...counts };
  const json = JSON.parse(readFileSync(report, 'utf8'));
  const { count, texts } = failuresOfVitest(json, output);
  const forgotten = existsSync(problems) ? JSON.parse(readFileSync(problems, 'utf8')) : [];
  for (const text of forgotten) console.log(text);
  const failed = count + forgotten.length;
  return {
    passed: json.numPassedTests,
    failed: code !== 0 ? Math.max(failed, 1) : failed,
    before: counts.before,
    skipped: counts.skipped + json.numPendingTests + json.numTodoTests,
    texts: [...texts, ...forgotten.flatMap(failuresOfText)],
  };
}
