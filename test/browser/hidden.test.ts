// Goal: hidden windows sync. Method: windows behind others, whose timers fire once a second, and later once a minute.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { inStep, opened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const stage = new Stage();

/** Chromium throttles hard only pages that were hidden for five minutes; here, for five seconds. */
const soon = '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/5';

/** How long the page waits for a timer of 50 ms, after three others like it. */
const timerMs = (page: Page) =>
  page.evaluate(async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 3; i++) await pause();
    const start = performance.now();
    await pause();
    return performance.now() - start;
  });

test.each([
  ['lease', false],
  ['service', true],
])(
  '%s: pushes a hidden window’s changes, and shows those of others once visible',
  async (user, serviceWorker) => {
    const profile = new Profile(undefined, { hides: true, more: [soon] });
    try {
      const options = { user, serviceWorker };
      const hidden = await opened(profile, stage.url, options, { serviceWorker });
      await inStep(hidden);
      const seen = await opened(profile, stage.url, options, { serviceWorker });
      await seen.bringToFront();
      await inStep(seen);
      expect(await hidden.evaluate(() => document.visibilityState)).toBe('hidden');
      await until(hidden, () => db.sync.status.role !== 'holder', []);
      expect(await timerMs(hidden)).toBeGreaterThan(300);
      const start = performance.now();
      await hidden.evaluate(() => db.mutate.addNote({ title: 'made hidden' }).confirmed);
      console.log(`${user}: pushed and pulled ${Math.round(performance.now() - start)} ms later`);
      await seen.evaluate(() => db.mutate.addNote({ title: 'made in front' }).confirmed);
      for (const page of [hidden, seen])
        await expect
          .poll(() => page.evaluate(() => db.notes.where('title', 'like', 'made %').count()))
          .toBeGreaterThanOrEqual(2);
      await seen.close();
      await hidden.bringToFront();
      await hidden.evaluate(() => db.mutate.addNote({ title: 'made in front again' }).confirmed);
    } finally {
      await profile.remove();
    }
  },
);
