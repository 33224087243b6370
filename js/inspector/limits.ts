/** How much a feed holds at most. What is older, or more, is left out, and counted. */
export const inspectorLimits = Object.freeze({
  /** Recent actions with their way. */
  actions: 200,
  /** Recent requests. */
  requests: 200,
  /** Lines of the log. */
  log: 200,
  /** Pending mutations that are listed; all are counted. */
  pending: 100,
  /** Updates in the outbox that are listed; all are counted. */
  updates: 50,
  /** Objects that an action or a mutation names. */
  objects: 20,
  /** Of scopes, streams, realms, problems, conflicts, live queries and parts of an image, each. */
  listed: 200,
  /** Letters of a text that somebody else has written: details of refusals and errors. */
  letters: 500,
});
