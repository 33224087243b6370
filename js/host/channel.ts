/**
 * Channel: messages to all other members of the same name, in this and other windows and workers. Guarantee: a message
 * arrives at most once, never at its sender, as a structured clone, never before `post` has returned; messages of one
 * sender arrive in their order. It may be lost when a receiver is frozen: nothing relies on it but speed.
 */
export interface Channel {
  post(message: unknown): void;
  /** No message is delivered afterwards. */
  close(): void;
}

export interface ChannelHost {
  open(name: string, onMessage: (message: unknown) => void): Channel;
}

export const broadcastChannels: ChannelHost = {
  open(name, onMessage) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event) => onMessage(event.data);
    return {
      post: (message) => channel.postMessage(message),
      close() {
        channel.onmessage = null;
        channel.close();
      },
    };
  },
};
