/**
 * Of the leases, shorter than the production's, in the same order of length: what was killed is overtaken soon where the time
 * that this takes is not itself under test.
 */
export const shortLeases = {
  beat: 200,
  look: 200,
  timeout: 1500,
  listenBeat: 500,
  listenLook: 500,
  listenTimeout: 2500,
};
