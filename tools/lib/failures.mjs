// Short texts of the failures of a run: `npm test` prints them again as its last lines, because a reader of a long log
// sees its end first, and a shortened log keeps little else.

/** The greatest number of characters that are printed again of one failure. */
const kCharacters = 1_500;
/** The greatest number of failures that are printed again of one step. */
const kFailures = 10;

/** The beginning of the text. */
function shortened(text) {
  const whole = text.trim();
  return whole.length > kCharacters ? `${whole.slice(0, kCharacters)} …` : whole;
}

function listed(failures) {
  const texts = failures.slice(0, kFailures).map(shortened);
  const more = failures.length - texts.length;
  return more > 0 ? [...texts, `and ${more} more`] : texts;
}

/**
 * The failures of a run of vitest: failed tests, and files that could not be loaded, from its JSON report; and errors
 * outside of all tests, which are only in its output.
 */
export function failuresOfVitest({ testResults }, output) {
  const failures = [];
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) {
      failures.push(`${name}\n${test.fullName}\n${(test.failureMessages ?? []).join('\n')}`);
    }
    // A file that could not be loaded has failed without a failed test.
    if (status === 'failed' && failed.length === 0) failures.push(`${name}\n${message}`);
  }
  const unhandled = output.search(/^.*Unhandled (Errors|Rejection|Exception)/m);
  if (unhandled >= 0) failures.push(output.slice(unhandled));
  return { count: failures.length, texts: listed(failures) };
}

/** The failures in doctest's output: each part between two of its rulers that contains ERROR. */
export function failuresOfDoctest(output) {
  const texts = output.split(/^={20,}$/m).filter((part) => /\bERROR:/.test(part));
  // The report of a sanitizer comes last, because it ends the run.
  return listed(texts.length > 0 ? texts : [output.slice(-kCharacters)]);
}

/** The failures of a step that reports one text. */
export const failuresOfText = (text) => listed([text]);
