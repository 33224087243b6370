/**
 * The contracts of transport and socket. The factory gives a server that knows these paths:
 *   /echo        200, the request's method, `x-test` header and inflated body as JSON
 *   /status/418  that status with a body
 *   /big         200, 100,000 bytes
 *   /hang        never answers
 */
import type { SocketHost } from '../../js/host/socket.ts';
import type { Transport, TransportRequest } from '../../js/host/transport.ts';
import { type ContractCase, equal, rejection, signal } from './check.ts';

export interface TransportSetting {
  readonly transport: Transport;
  /** The address of the server, without a slash at its end. */
  readonly base: string;
  /** An address where no server listens. */
  readonly nowhere: string;
  close(): Promise<void> | void;
}

export function transportContract(
  name: string,
  make: () => Promise<TransportSetting> | TransportSetting,
): ContractCase[] {
  const contractCase = (
    title: string,
    body: (setting: TransportSetting) => Promise<void>,
  ): ContractCase => ({
    name: `${name}: ${title}`,
    async run() {
      const setting = await make();
      try {
        await body(setting);
      } finally {
        await setting.close();
      }
    },
  });
  const request = (url: string, more: Partial<TransportRequest> = {}): TransportRequest => ({
    method: 'GET',
    url,
    timeoutMs: 5000,
    maxBytes: 1 << 20,
    ...more,
  });
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [
    contractCase(
      'method, headers and body arrive as they were sent',
      async ({ transport, base }) => {
        const body = 'x'.repeat(5000);
        for (const gzip of [false, true]) {
          const answer = await transport.request(
            request(`${base}/echo`, { method: 'POST', body, gzip, headers: { 'x-test': 'yes' } }),
          );
          equal(answer.status, 200);
          equal(JSON.parse(text(answer.body)), { method: 'POST', test: 'yes', body });
        }
      },
    ),
    contractCase('any status is an answer', async ({ transport, base }) => {
      const answer = await transport.request(request(`${base}/status/418`));
      equal([answer.status, text(answer.body)], [418, 'status 418']);
    }),
    contractCase('an answer above the limit is refused', async ({ transport, base }) => {
      equal(
        (await rejection(transport.request(request(`${base}/big`, { maxBytes: 99_999 })))).code,
        'too_large',
      );
      equal(
        (await transport.request(request(`${base}/big`, { maxBytes: 100_000 }))).body.length,
        100_000,
      );
    }),
    contractCase('no answer in time is a timeout', async ({ transport, base }) => {
      equal(
        (await rejection(transport.request(request(`${base}/hang`, { timeoutMs: 50 })))).code,
        'timeout',
      );
    }),
    contractCase(
      'an absent server and an abort are failures of the network',
      async ({ transport, base, nowhere }) => {
        equal((await rejection(transport.request(request(`${nowhere}/echo`)))).code, 'network');
        const stop = new AbortController();
        const waiting = transport.request(request(`${base}/hang`, { signal: stop.signal }));
        stop.abort();
        equal((await rejection(waiting)).code, 'network');
      },
    ),
  ];
}

/** The server echoes every text, and closes with 4001 on the text `close`. */
export interface SocketSetting {
  readonly sockets: SocketHost;
  readonly url: string;
  readonly nowhere: string;
  close(): Promise<void> | void;
}

export function socketContract(
  name: string,
  make: () => Promise<SocketSetting> | SocketSetting,
): ContractCase[] {
  return [
    {
      name: `${name}: opens, echoes, and reports the server’s close once`,
      async run() {
        const setting = await make();
        const log: string[] = [];
        const closed = signal();
        const socket = setting.sockets.open(setting.url, {
          onOpen: () => {
            log.push('open');
            socket.send('hello');
          },
          onMessage: (text) => {
            log.push(text);
            socket.send('close');
          },
          onClose: (code) => {
            log.push(`closed ${code}`);
            closed.fire();
          },
        });
        equal(log, [], 'before open has returned');
        await closed.promise;
        socket.close();
        await Promise.resolve();
        equal(log, ['open', 'hello', 'closed 4001']);
        await setting.close();
      },
    },
    {
      name: `${name}: a connection that fails is a close`,
      async run() {
        const setting = await make();
        const closed = signal<number>();
        let opened = false;
        setting.sockets.open(setting.nowhere, {
          onOpen: () => {
            opened = true;
          },
          onMessage: () => {},
          onClose: closed.fire,
        });
        await closed.promise;
        equal(opened, false);
        await setting.close();
      },
    },
    {
      name: `${name}: nothing is reported after close`,
      async run() {
        const setting = await make();
        const opened = signal();
        const log: string[] = [];
        const socket = setting.sockets.open(setting.url, {
          onOpen: opened.fire,
          onMessage: (text) => log.push(text),
          onClose: (code) => log.push(`closed ${code}`),
        });
        await opened.promise;
        socket.send('echo');
        socket.close();
        // A second connection's echo comes after anything that the first could still have reported.
        const echoed = signal();
        const other = setting.sockets.open(setting.url, {
          onOpen: () => other.send('x'),
          onMessage: () => echoed.fire(),
          onClose: () => {},
        });
        await echoed.promise;
        other.close();
        equal(log, []);
        await setting.close();
      },
    },
  ];
}
