// `npm run bench -- visit`: visits of a page over a slow line, until its first query is answered, and until that has rows of the
// server; and what is downloaded meanwhile.

import { Browser } from './lib/browser.mjs';
import { digits, markdown, median } from './lib/report.mjs';
import { kFew } from './lib/seed-few.mjs';
import { startServer } from './lib/server.mjs';
import { makeSite } from './lib/site.mjs';

const kLine = { bitsPerSecond: 1_600_000, latencyMs: 150 };
const kConditions = {
  offline: false,
  latency: kLine.latencyMs,
  downloadThroughput: kLine.bitsPerSecond / 8,
  uploadThroughput: kLine.bitsPerSecond / 8,
};

/** Makes the line of a page and of its workers slow. Gives what counts their bytes. */
async function slowLine(page) {
  let bytes = 0;
  const count = async (session) => {
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await session.send('Network.enable');
  };
  const session = await page.createCDPSession();
  const failed = new Promise((_, reject) => {
    session.on('Target.attachedToTarget', ({ sessionId }) => {
      const worker = session.connection().session(sessionId);
      count(worker)
        .then(() => worker.send('Runtime.runIfWaitingForDebugger'))
        .catch(reject);
    });
  });
  await count(session);
  await session.send('Network.emulateNetworkConditions', kConditions);
  const how = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true };
  await session.send('Target.setAutoAttach', how);
  return { failed, bytes: () => bytes };
}

async function visit(browser, address) {
  const page = await browser.page('about:blank');
  const line = await slowLine(page);
  await page.goto(address);
  const { opened, filled, sum } = await Promise.race([line.failed, browser.call(page, 'visit')]);
  const bytes = line.bytes();
  await page.close();
  return { opened, filled, kB: bytes / 1000, sum };
}

const kColumns = {
  opened: 'the first query is answered, ms',
  filled: 'it has the rows of the server, ms',
  kB: 'downloaded, kB',
};

export async function visitBench({ rounds }, note) {
  const site = await makeSite('visit');
  let server = null;
  try {
    server = await startServer(site.folder, 'seed-few.mjs');
    const address = `${server.url}?kind=synced&rows=${kFew}`;
    const visits = { 'first visit': [], 'second visit': [] };
    const sums = new Set();
    for (let round = 0; round < rounds; round++) {
      note(`visits of profile ${round + 1} of ${rounds}`);
      const browser = new Browser();
      try {
        for (const list of Object.values(visits)) {
          const result = await visit(browser, address);
          sums.add(result.sum);
          list.push(result);
        }
      } finally {
        await browser.remove();
      }
    }
    if (sums.size !== 1) throw new Error(`the visits showed different rows: ${[...sums]}`);
    const rows = Object.entries(visits).map(([name, list]) => [
      name,
      ...Object.keys(kColumns).map((key) => digits(median(list.map((each) => each[key])))),
    ]);
    const text = [
      markdown(['until', ...Object.values(kColumns)], rows),
      '',
      `A line of ${kLine.bitsPerSecond / 1e6} Mbit/s with ${kLine.latencyMs} ms of latency; ${kFew} cities; Chromium; medians of ${rounds} profiles.`,
    ].join('\n');
    return { text, failed: false };
  } finally {
    await server?.stop();
    site.remove();
  }
}
