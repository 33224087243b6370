// Goal: the values of a frame of the same origin are stored and found as the window's own are, and refused where those are.
// Method: the same expressions as test/js/other-realm.test.ts, evaluated in a frame of a real Chromium.
import { expect, test } from 'vitest';
import { kinds, refused } from '../js/realm-values.ts';
import { bare } from './support/kit.ts';
import { Stage } from './support/served.ts';

const stage = new Stage();

test('values of a frame are stored, found and refused as the window’s own are', async () => {
  const page = await bare(stage.profile, stage.url);
  // The page's own policy forbids the evaluation of texts.
  await page.setBypassCSP(true);
  await page.reload();
  await page.evaluate(
    "import('/index.js').then((skerry) => Object.assign(globalThis, { skerry }))",
  );
  const codes = [...kinds, ...refused].map(({ code }) => code);
  const outcomes = await page.evaluate(async (expressions) => {
    const { open, schema, t, table } = (
      globalThis as unknown as { skerry: typeof import('skerry') }
    ).skerry;
    const size = t.enum(['s', 'm', 'l']).optional();
    const cities = table({
      ...{ name: t.string().optional(), population: t.number().default(0), size },
      ...{ founded: t.date().optional(), flag: t.bytes().optional(), notes: t.json().optional() },
      capital: t.boolean().optional(),
    });
    const local = await open({ name: 'frame', schema: schema({ cities }, { version: 1 }) });
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const { contentWindow } = frame as unknown as { contentWindow: { eval(code: string): Date } };
    const outcome = (run: (code: string) => object, code: string) => {
      try {
        const { result } = local.transact((tx) => tx.cities.create(run(code)));
        const { id, realm, createdAt, modifiedAt, ...row } = local.cities.get(result) ?? {};
        return JSON.stringify(row);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const all = expressions.map((code) => ({
      code,
      // biome-ignore lint/security/noGlobalEval: expressions of the test itself.
      own: outcome((text) => window.eval(text), code),
      frames: outcome((text) => contentWindow.eval(text), code),
    }));
    const date = contentWindow.eval('new Date(9)');
    const found = local.cities.where('founded', '<', date).count();
    await local.close();
    return { all, found, isOther: !(date instanceof Date) };
  }, codes);
  expect(outcomes.isOther).toBe(true);
  expect(outcomes.found).toBe(4);
  for (const [i, { own, frames }] of outcomes.all.entries()) {
    expect(frames).toBe(own);
    const says = refused[i - kinds.length]?.says;
    if (says) expect(frames).toMatch(says);
    else expect(frames).toMatch(/^\{/);
  }
});
