/** Channels within one program. Messages wait for a microtask each, as between windows. */
import type { ChannelHost } from '../channel.ts';

export function memoryChannels(): ChannelHost {
  const members = new Map<string, Set<(message: unknown) => void>>();
  return {
    open(name, onMessage) {
      const group = members.get(name) ?? new Set();
      members.set(name, group);
      let open = true;
      const deliver = (message: unknown) => {
        queueMicrotask(() => {
          if (open) onMessage(message);
        });
      };
      group.add(deliver);
      return {
        post(message) {
          if (!open) return;
          for (const other of group) if (other !== deliver) other(structuredClone(message));
        },
        close() {
          open = false;
          group.delete(deliver);
        },
      };
    },
  };
}
