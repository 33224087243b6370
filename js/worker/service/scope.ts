/** The members of a service worker's global scope and events that are used; the package is typed for windows. */
import { type Envelope, serviceProtocol } from '../../host/service-link.ts';

export interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void;
}
export interface MessageLike extends ExtendableEvent {
  readonly data: unknown;
}
export interface SyncLike extends ExtendableEvent {
  readonly tag: string;
}
export interface ServiceScope {
  addEventListener(type: string, listener: (event: never) => void): void;
  removeEventListener(type: string, listener: (event: never) => void): void;
}

export function envelopeOf(data: unknown): Envelope | null {
  const envelope = data as Partial<Envelope> | null;
  const fits =
    typeof envelope === 'object' &&
    envelope?.skerry === serviceProtocol &&
    typeof envelope.database === 'string' &&
    typeof envelope.message?.type === 'string';
  return fits ? (envelope as Envelope) : null;
}
