// What the failures of a run have to say, short: `npm test` tells them again as its last lines, because whoever looks at a
// long record sees its end first, and a shortened one keeps little else.

/** Of one failure at most so many characters are told again, ... */
const kCharacters = 1_500;
/** ... and of one step so many failures. */
const kFailures = 10;

/** That text's beginning, for the end of a run. */
function shortened(text) {
  const whole = text.trim();
  return whole.length > kCharacters ? `${whole.slice(0, kCharacters)} …` : whole;
}

function listed(failures) {
  const told = failures.slice(0, kFailures).map(shortened);
  const more = failures.length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}

/**
 * The failures of a run of vitest: of tests, and of files that could not be loaded, which its report in JSON has; and errors
 * outside of all tests, which only its output tells.
 */
export function failuresOfVitest({ testResults }, output) {
  const failures = [];
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) {
      failures.push(`${name}\n${test.fullName}\n${(test.failureMessages ?? []).join('\n')}`);
    }
    // One that could not be loaded has failed without a test that says so.
    if (status === 'failed' && failed.length === 0) failures.push(`${name}\n${message}`);
  }
  const unhandled = output.search(/^.*Unhandled (Errors|Rejection|Exception)/m);
  if (unhandled >= 0) failures.push(output.slice(unhandled));
  return { count: failures.length, told: listed(failures) };
}

/** The failures that doctest's output tells: what stands between two of its rules, and says ERROR. */
export function failuresOfDoctest(output) {
  const told = output.split(/^={20,}$/m).filter((part) => /\bERROR:/.test(part));
  // A sanitizer ends a run at its report, which comes last.
  return listed(told.length > 0 ? told : [output.slice(-kCharacters)]);
}

/** A failure that is told as one text. */
export const failuresOfText = (text) => listed([text]);
