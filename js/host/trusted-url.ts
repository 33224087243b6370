/**
 * Addresses of scripts, for pages that enforce Trusted Types (`require-trusted-types-for 'script'`): there a worker is started, and a
 * service worker registered, only by an address that a policy has made. The package's is `skerry`; a page whose
 * Content-Security-Policy lists policies has to list it (`trusted-types skerry`).
 */
interface Policy {
  createScriptURL(url: string): unknown;
}
interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

const policyName = 'skerry';

/** Made at first use, once: a page may allow each name only once. Not reachable from outside, as it trusts every address. */
let policy: Policy | null | undefined;

/** Undefined where there are no Trusted Types; null where the page forbids the policy. */
function ownPolicy(): Policy | null | undefined {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  if (policy !== undefined || !trustedTypes) return policy;
  try {
    policy = trustedTypes.createPolicy(policyName, { createScriptURL: (url) => url });
  } catch {
    policy = null; // Which matters only where they are enforced: `explained` says so then.
  }
  return policy;
}

/** The address, as `new Worker` and `serviceWorker.register` take it; by its type a URL. */
export function trustedUrl(url: URL): URL {
  return (ownPolicy()?.createScriptURL(url.href) ?? url) as URL;
}

/** What the engine threw for such an address, with what the application can do where the policy was refused. */
export function explained(error: unknown): Error {
  if (policy !== null || !/trusted/i.test((error as Error).message)) return error as Error;
  return new Error(
    `This page's Content-Security-Policy enforces Trusted Types and does not allow the policy "${policyName}": add it to trusted-types.`,
    { cause: error },
  );
}
