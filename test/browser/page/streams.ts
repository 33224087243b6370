// The hub's commands about streams (hub.ts): a chat, and a sum that a reducer makes.

export interface Said {
  readonly type: 'said';
  readonly text: string;
}
type Add = { readonly type: 'add'; readonly by: number };

const chat = (realm: string | null, keep = 1_000) =>
  db.stream<Said>('chat', realm === null ? { keep } : { realm, keep });
const reducer = (sum: number, { by }: Add) => {
  if (by < 0) throw new Error('negative');
  return sum + by;
};
const total = (realm: string | null) =>
  db.stream<number, Add>('total', {
    reducer,
    initialState: 0,
    ...(realm === null ? {} : { realm }),
  });

export const streams = {
  openStreams(realm: string | null, keep?: number): void {
    chat(realm, keep);
    total(realm);
  },
  /** Resolves when the last of them is durable. */
  async say(realm: string | null, texts: readonly string[], keep?: number): Promise<void> {
    const made = texts.map((text) => chat(realm, keep).append({ type: 'said', text }));
    await Promise.all(made.map(({ durable }) => durable));
  },
  sayConfirmed: (realm: string | null, text: string) =>
    chat(realm).append({ type: 'said', text }).confirmed,
  said: (realm: string | null, keep?: number) => chat(realm, keep).value.map(({ text }) => text),
  /** Who said it; `null`: it is pending. */
  authors: (realm: string | null) => chat(realm).entries.map(({ author }) => author),
  /** All texts, page by page back from the end. */
  async pagesBack(realm: string | null, limit: number, keep?: number): Promise<string[]> {
    const stream = chat(realm, keep);
    const seen: string[] = [];
    let before: Said | undefined;
    for (;;) {
      const page = await stream.page({ limit, before });
      seen.unshift(...page.map(({ text }) => text));
      if (page.length < limit) return seen;
      before = page[0];
    }
  },
  async add(realm: string | null, by: number): Promise<void> {
    await total(realm).dispatch({ type: 'add', by }).durable;
  },
  sum: (realm: string | null) => total(realm).value,
  sumIsWhole: (realm: string | null) => total(realm).whole,
  storedActions: async (realm: string | null, stream: string) => {
    const raw = await kit.openRaw(`skerry/test/${db.user}`);
    const range = IDBKeyRange.bound(
      `${realm ?? 'public'}\0${stream}`,
      `${realm ?? 'public'}\0${stream}\uffff`,
    );
    const request = raw.transaction('actions').objectStore('actions').count(range);
    const count = await new Promise<number>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    raw.close();
    return count;
  },
};
