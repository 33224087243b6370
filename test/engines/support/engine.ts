// The interface of the engine tests to each of three real browsers: windows that are all visible, a profile that
// outlives the browser, and ends of every kind. Calls inside a window go through the hub (hub.ts).

export type EngineName = 'chromium' | 'firefox' | 'webkit';

/** Abilities that not every engine has. Tests that need one are skipped elsewhere, by its name, and counted. */
export type Feature =
  | 'freeze'
  | 'hide'
  | 'stop-service-worker'
  | 'small-quota'
  | 'lose-storage'
  /** A page with a Web Lock goes into bfcache like any other. */
  | 'bfcache-with-locks';

export interface Start {
  /** Nothing is to be left of it. */
  readonly isPrivate?: boolean | undefined;
  /** An origin gets no more room than about ten megabytes. Where there is the feature `small-quota`. */
  readonly isSmall?: boolean | undefined;
}

export interface Engine {
  readonly name: EngineName;
  readonly features: ReadonlySet<Feature>;
  /** Starts it on a profile folder, which may be one that it was killed on. */
  start(folder: string, how?: Start): Promise<Running>;
}

export interface Running {
  /**
   * Opens a window of that name, visible beside the others. Resolves when it has been asked for. Rejects with Gone if
   * its process was killed meanwhile.
   */
  open(id: string, url: string): Promise<void>;
  /** Navigates that window to an empty page, and back again. */
  leave(id: string): Promise<void>;
  goBack(id: string): Promise<void>;
  /** Closes a window as its user does. */
  close(id: string): Promise<void>;
  /** Kills the process that runs the window, and with it perhaps others; `gone` resolves when it is. */
  crash(id: string, gone: Promise<void>): Promise<void>;
  /** To all of its processes at once: SIGKILL as a power cut, SIGSTOP and SIGCONT as a machine that sleeps. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Ends it, however it is. */
  stop(): Promise<void>;
  /**
   * As a browser does with a window in the background. Where there is the feature `freeze`. `answers`: whether the window
   * still does.
   */
  freeze?(id: string, answers: () => Promise<boolean>): Promise<() => Promise<void>>;
  /** Something else is in front of the window, until it is shown again. Where there is the feature `hide`. */
  hide?(id: string): Promise<void>;
  show?(id: string): Promise<void>;
  /** Stops the service worker at once. Where there is the feature `stop-service-worker`. */
  stopServiceWorker?(): Promise<void>;
  /** Kills the process that has the databases. Where there is the feature `lose-storage`. */
  loseStorage?(): void;
}
