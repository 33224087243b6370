// Goal: an import of the package does nothing, and needs nothing but the language: a test environment (jsdom in Jest, say) or a
// server has neither `TextEncoder` nor a document. Method: its entries run in a realm that has only what ECMAScript defines.
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const entries = [
  'js/index.ts',
  'js/testing.ts',
  'js/redux/index.ts',
  'js/tanstack/index.ts',
  'js/elements/index.ts',
  'js/inspector/index.ts',
];

test.each(entries)('%s is imported where there is nothing but the language', async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    globalName: 'imported',
    platform: 'browser',
    define: { 'import.meta.url': '"file:///dist/index.js"' },
    logLevel: 'silent',
    write: false,
  });
  const context = createContext({});
  runInContext(outputFiles[0]?.text ?? '', context);
  expect(runInContext('Object.keys(imported).length', context)).toBeGreaterThan(0);
});
