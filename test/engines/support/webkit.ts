// WebKitGTK: windows of webkit-host.js on a screen of its own (Xvfb). A browser under WebDriver keeps no profile.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { namedProcesses, signalGroup, stopProcessOf } from '../../browser/support/processes.ts';
import { patience } from '../../support/patience.ts';
import type { Engine, Running } from './engine.ts';

const host = fileURLToPath(new URL('./webkit-host.js', import.meta.url));
const START_LIMIT_MS = patience(30_000);

export const webkit: Engine = {
  name: 'webkit',
  features: new Set(['freeze', 'hide', 'small-quota', 'lose-storage', 'bfcache-with-locks']),
  async start(folder, { isPrivate = false, isSmall = false } = {}) {
    const screen = await Screen.start();
    const args = [...(isPrivate ? ['--private'] : []), ...(isSmall ? ['--small'] : [])];
    const child = spawn('gjs', [host, folder, ...args], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {
        ...process.env,
        HOME: folder,
        DISPLAY: screen.display,
        GDK_BACKEND: 'x11',
        LIBGL_ALWAYS_SOFTWARE: '1',
        WEBKIT_DISABLE_DMABUF_RENDERER: '1',
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      },
    });
    const running = new RunningWebKit(child, screen);
    await running.answer('ready');
    return running;
  },
};

/** A virtual screen. It finds a number of its own that is free. */
class Screen {
  readonly display: string;
  readonly #child: ChildProcess;

  private constructor(display: string, child: ChildProcess) {
    this.display = display;
    this.#child = child;
  }

  static async start(): Promise<Screen> {
    const args = ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'];
    const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const number = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Xvfb did not start')), START_LIMIT_MS);
      child.once('error', reject);
      child.stdio[3]?.once('data', (text: Buffer) => {
        clearTimeout(timer);
        resolve(text.toString().trim());
      });
    });
    return new Screen(`:${number}`, child);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

class RunningWebKit implements Running {
  readonly #child: ChildProcess;
  readonly #screen: Screen;
  readonly #waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();

  constructor(child: ChildProcess, screen: Screen) {
    this.#child = child;
    this.#screen = screen;
    if (!child.stdout) throw new Error('the WebKit host has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { did } = JSON.parse(line) as { did: string };
      this.#waiting.get(did)?.resolve();
      this.#waiting.delete(did);
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('WebKit has ended'));
      this.#waiting.clear();
    });
    // After it was killed.
    child.stdin?.on('error', () => {});
  }

  /** Resolves when the host says that it has done that. */
  answer(did: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the WebKit host did not answer: ${did}`));
      const timer = setTimeout(late, START_LIMIT_MS);
      const settled =
        <T extends unknown[]>(settle: (...args: T) => void) =>
        (...args: T) => {
          clearTimeout(timer);
          settle(...args);
        };
      this.#waiting.set(did, { resolve: settled(resolve), reject: settled(reject) });
    });
  }

  async #ask(
    type: 'open' | 'leave' | 'goBack' | 'hide' | 'show' | 'close' | 'crash',
    id: string,
    url = '',
  ): Promise<void> {
    const answer = this.answer(`${type} ${id}`);
    this.#child.stdin?.write(`${JSON.stringify({ type, id, url })}\n`);
    await answer;
  }

  open(id: string, url: string): Promise<void> {
    return this.#ask('open', id, url);
  }

  leave(id: string): Promise<void> {
    return this.#ask('leave', id);
  }

  goBack(id: string): Promise<void> {
    return this.#ask('goBack', id);
  }

  close(id: string): Promise<void> {
    return this.#ask('close', id);
  }

  async crash(id: string, gone: Promise<void>): Promise<void> {
    await this.#ask('crash', id);
    await gone;
  }

  hide(id: string): Promise<void> {
    return this.#ask('hide', id);
  }

  show(id: string): Promise<void> {
    return this.#ask('show', id);
  }

  /** Each window has a process of its own. */
  async freeze(_id: string, answers: () => Promise<boolean>): Promise<() => Promise<void>> {
    return stopProcessOf(namedProcesses(this.#child.pid ?? 0, /^WebKitWebProces/), answers);
  }

  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const { pid } = this.#child;
    if (pid) await signalGroup(pid, signal);
    if (signal === 'SIGKILL') await this.#screen.stop();
  }

  loseStorage(): void {
    const { pid } = this.#child;
    if (!pid) return;
    for (const process_ of namedProcesses(pid, /^WebKitNetworkPr/))
      process.kill(process_, 'SIGKILL');
  }

  stop(): Promise<void> {
    return this.signal('SIGKILL');
  }
}
