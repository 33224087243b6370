import type { DatabaseCore } from '../api/database-core.ts';
import type { StorageEstimated } from '../host/estimate.ts';
import type { Actions } from './actions.ts';
import type { Queries } from './queries.ts';
import type { Requests } from './requests.ts';
import type { Ring } from './ring.ts';
import type { StoredNow } from './stored.ts';
import type { InspectedLine } from './view.ts';

/** All that a view is made of. */
export interface FeedState {
  readonly core: DatabaseCore;
  readonly actions: Actions;
  readonly requests: Requests;
  readonly queries: Queries;
  readonly log: Ring<InspectedLine>;
  stored: StoredNow;
  records: Readonly<Record<string, number>> | null;
  estimate: StorageEstimated | null;
  /** Why storage could not be read. */
  error: string | null;
  closed: string | null;
}
