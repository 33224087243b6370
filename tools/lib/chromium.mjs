// Finding the Chromium that the browser tests drive.

import { existsSync } from 'node:fs';
import { which } from './run.mjs';

const kNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The path of a Chromium: CHROMIUM_PATH, or the first on PATH. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : undefined;
  return kNames.map(which).find(Boolean);
}
