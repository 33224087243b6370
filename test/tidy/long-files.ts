/**
 * Files that may be longer than 400 lines, each with the reason. A file that grows past it is asked
 * whether it is two; the answer "no" belongs here.
 */
export const longFiles: Readonly<Record<string, string>> = {
  'package-lock.json': 'npm writes it.',
  'bench/peers/packages/package-lock.json': 'npm writes it.',
  'test/package/projects/angular/package-lock.json': 'npm writes it.',
  'test/package/projects/esbuild/package-lock.json': 'npm writes it.',
  'test/package/projects/next/package-lock.json': 'npm writes it.',
  'test/package/projects/parcel/package-lock.json': 'npm writes it.',
  'test/package/projects/rollup/package-lock.json': 'npm writes it.',
  'test/package/projects/vite/package-lock.json': 'npm writes it.',
  'test/package/projects/vite-7/package-lock.json': 'npm writes it.',
  'test/package/projects/webpack/package-lock.json': 'npm writes it.',
  'test/mutants/core.mjs': 'A list: each entry stands alone.',
  'test/mutants/server.mjs': 'A list: each entry stands alone.',
  'server/src/base/wire-types.ts': 'It is generated.',
  'js/core/core-types.ts': 'It is generated.',
  'js/core/error-codes.ts': 'A list: each entry stands alone.',
  'docs/design.md': 'The whole design in one page, a section for each part.',
  'docs/performance.md': 'A section for each part of npm run bench, which writes its table.',
  'test/core/model_check/naive_model.h':
    'The whole naive model in one page: all that it has, and what it must do.',
  'src/model/row_store.cc':
    'One layout of rows, and every access to it: apart the offsets would be known in two places.',
  'test/core/log/fold_ops_test.cc':
    'The rules of folding one by one, and random histories by the same: apart they would share all helpers.',
  'docs/sync-worker.md': 'One state machine: its events, effects, messages, and its loop.',
  'test/browser/conflicts-element.test.ts':
    'One element: apart its scenes would share how a conflict is made.',
  'test/core/client/validation_test.cc':
    'What windows judge, in all orders: apart the scenes would share a world with rules.',
  'test/core/client/windows_in_step_test.cc':
    'One world with its steps and its checks: apart they would share all of their state.',
};
