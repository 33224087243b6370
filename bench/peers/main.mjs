// `npm run bench -- peers [names] [--rounds 3] [--cap 3000]`: Skerry beside other systems that store a page's data, by the
// same workloads on the same rows. All systems in one go, round after round, so that whatever else the machine does is
// shared by all: ratios mean something.

import { cpus } from 'node:os';
import { serve } from '../lib/serve.mjs';
import { installPeers } from './install.mjs';
import { repetition } from './repetition.mjs';
import { makePeersSite } from './site.mjs';
import { chosenSystems } from './systems.mjs';
import { peersRatios, peersText, speedsOf } from './table.mjs';

/** Gives the text, and whether something of ours failed. */
export async function peersBench({ names, rounds, capMs }, note) {
  const systems = chosenSystems(names);
  const site = await makePeersSite(systems, await installPeers());
  const measured = systems.map((system) => ({ system, repetitions: [] }));
  try {
    const server = await serve(site.folder);
    try {
      for (let round = 1; round <= rounds; round++) {
        for (const { system, repetitions } of measured) {
          const start = performance.now();
          const result = await repetition(system, server.url, capMs);
          repetitions.push(result);
          const seconds = ((performance.now() - start) / 1000).toFixed(0);
          note(`round ${round}: ${system.name} (${seconds} s)`);
          for (const [step, message] of result.failures) note(`  ${step} failed: ${message}`);
        }
      }
    } finally {
      await server.close();
    }
  } finally {
    site.remove();
  }
  const failed = measured.some(
    ({ system, repetitions }) =>
      system.kind === 'ours' && repetitions.some(({ failures }) => failures.length > 0),
  );
  const speeds = speedsOf(measured);
  return {
    text: peersText(measured, site.weighed, { cores: cpus().length, repetitions: rounds }),
    failed,
    speeds: [speeds.at(0), speeds.at(-1)],
    ratios: peersRatios(measured, site.weighed),
  };
}
