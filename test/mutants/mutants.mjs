// Deliberate mistakes, one at a time: what the tests are worth (tools/mutants.mjs applies, builds and runs each). `from` stands
// once in `file`. Each is a mistake that somebody could make, at a place where a design of this kind is known to break.

import { account, dividing } from './account.mjs';
import { api } from './api.mjs';
import { appRules, appRulesOfPackage, appRulesOnServer } from './app-rules.mjs';
import { audiences } from './audiences.mjs';
import { authority } from './authority.mjs';
import { react, redux, tanstack } from './bindings.mjs';
import { client } from './client.mjs';
import { comparing, comparingOnServer } from './comparing.mjs';
import { core } from './core.mjs';
import { costs, costsOnServer } from './costs.mjs';
import { firstVisit, firstVisitOfPackage } from './first-visit.mjs';
import { foreign, foreignOnServer } from './foreign.mjs';
import { forgetting, forgettingOnServer } from './forgetting.mjs';
import { inbox } from './inbox.mjs';
import { inspector } from './inspector.mjs';
import { invitations, invitationsOnServer } from './invitations.mjs';
import { joins, joinsOnServer } from './joins.mjs';
import { offers, offersOnServer } from './offers.mjs';
import { overwritten } from './overwritten.mjs';
import { reducers } from './reducers.mjs';
import { renames, renamesOnServer } from './renames.mjs';
import { server } from './server.mjs';
import { service } from './service.mjs';
import { snapshots, snapshotsOnServer } from './snapshots.mjs';
import { stamps } from './stamps.mjs';
import { storage } from './storage.mjs';
import { replay, streams, streamsOfPackage, streamsOnServer } from './streams.mjs';
import { survey, surveyOnServer } from './survey.mjs';
import { undo, undoOfPackage, undoOnServer } from './undo.mjs';
import { validation, validationOfPackage } from './validation.mjs';
import { verdicts } from './verdicts.mjs';
import { wire } from './wire.mjs';

const kinds = {
  core: [
    ...core,
    ...authority,
    ...verdicts,
    ...inbox,
    ...undo,
    ...validation,
    ...appRules,
    ...joins,
    ...streams,
    ...snapshots,
    ...forgetting,
    ...replay,
    ...firstVisit,
    ...costs,
    ...invitations,
    ...survey,
    ...dividing,
    ...wire,
    ...overwritten,
    ...comparing,
    ...offers,
    ...foreign,
    ...renames,
  ],
  server: [
    ...server,
    ...joinsOnServer,
    ...renamesOnServer,
    ...streamsOnServer,
    ...snapshotsOnServer,
    ...reducers,
    ...forgettingOnServer,
    ...costsOnServer,
    ...invitationsOnServer,
    ...audiences,
    ...surveyOnServer,
    ...undoOnServer,
    ...appRulesOnServer,
    ...comparingOnServer,
    ...offersOnServer,
    ...foreignOnServer,
  ],
  client: [
    ...client,
    ...account,
    ...service,
    ...firstVisitOfPackage,
    ...api,
    ...validationOfPackage,
    ...undoOfPackage,
    ...appRulesOfPackage,
    ...storage,
    ...stamps,
    ...streamsOfPackage,
    ...redux,
    ...react,
    ...tanstack,
    ...inspector,
  ],
};

export const mutants = Object.entries(kinds).flatMap(([kind, list]) =>
  list.map((mutant) => ({ kind, ...mutant })),
);

/** The file with the mistake in it; throws where the place is not there, or not once. */
export function mutated(text, { name, file, from, to }) {
  const parts = text.split(from);
  if (parts.length !== 2)
    throw new Error(`"${name}": ${file} has its place ${parts.length - 1} times, not once.`);
  return parts.join(to);
}
