// Finding the browsers that the tests drive.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { which } from './run.mjs';

const kChromium = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const kFirefox = ['firefox-esr', 'firefox'];

/** The program that the variable names, or the first of these on PATH. */
function find(variable, names) {
  const named = process.env[variable];
  if (named) return existsSync(named) ? named : undefined;
  return names.map(which).find(Boolean);
}

export const findChromium = () => find('CHROMIUM_PATH', kChromium);
export const findFirefox = () => find('FIREFOX_PATH', kFirefox);

/** WebKitGTK as gjs sees it, and a screen to show it on (test/engines/support/webkit-host.js). */
export function hasWebKit() {
  if (!which('gjs') || !which('Xvfb')) return false;
  const load = 'imports.gi.versions.WebKit2 = "4.1"; imports.gi.WebKit2;';
  return spawnSync('gjs', ['-c', load], { stdio: 'ignore' }).status === 0;
}

/** The environment variables by which tests find their browsers. */
export function browserEnvironment() {
  const found = { CHROMIUM_PATH: findChromium(), FIREFOX_PATH: findFirefox() };
  return Object.fromEntries(Object.entries(found).filter(([, path]) => path));
}
