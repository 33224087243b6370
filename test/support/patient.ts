// Before each file of tests (vitest.config.ts): the limits that tests name are longer on a slow machine. Those of the projects
// are longer already.
import { expect, vi } from 'vitest';
import { patience } from './patience.ts';

type Options = { readonly timeout?: number } | undefined;
const longer = <O extends Options>(options: O): O =>
  options?.timeout === undefined ? options : { ...options, timeout: patience(options.timeout) };

const { poll } = expect;
expect.poll = (value, options) => poll(value, longer(options));

const { waitFor, waitUntil, setConfig } = vi;
const withTime = (options?: number | { timeout?: number }) =>
  typeof options === 'number' ? patience(options) : longer(options);
vi.waitFor = (callback, options) => waitFor(callback, withTime(options));
vi.waitUntil = (callback, options) => waitUntil(callback, withTime(options));
vi.setConfig = (config) => {
  const { testTimeout, hookTimeout } = config;
  setConfig({
    ...config,
    ...(testTimeout !== undefined && { testTimeout: patience(testTimeout) }),
    ...(hookTimeout !== undefined && { hookTimeout: patience(hookTimeout) }),
  });
};
