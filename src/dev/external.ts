import { AssayError, messageOf } from '../domain/errors.js';
import { pingStore } from '../lineage/ping.js';

const ANSWER_MS = 10_000;

/** A server that is run elsewhere: used as it is, never started or stopped. */
export interface External {
  address: string;
  variable: string;
}

/** The Temporal server that the environment names, or null. */
export function namedTemporal(env: NodeJS.ProcessEnv = process.env): External | null {
  return named(env, 'ASSAY_TEMPORAL_ADDRESS', 'TEMPORAL_ADDRESS');
}

/** The store that the environment names, or null. */
export function namedStore(env: NodeJS.ProcessEnv = process.env): External | null {
  return named(env, 'ASSAY_MONGODB_URL');
}

/** The Temporal namespace; the environment may name another than `default`. */
export function namespaceOf(env: NodeJS.ProcessEnv = process.env): string {
  return env['ASSAY_TEMPORAL_NAMESPACE'] || env['TEMPORAL_NAMESPACE'] || 'default';
}

/** The database in the store; the environment may name another than `assay`. */
export function databaseOf(env: NodeJS.ProcessEnv = process.env): string {
  return env['ASSAY_MONGODB_DATABASE'] || 'assay';
}

function named(env: NodeJS.ProcessEnv, ...variables: string[]): External | null {
  for (const variable of variables) {
    const address = env[variable];
    if (address) return { address, variable };
  }
  return null;
}

/**
 * Makes sure of a server that the environment names. Another one is never used instead: its data would not be there.
 * @throws AssayError TEMPORAL_UNAVAILABLE naming the variable
 */
export async function checkNamedTemporal(external: External): Promise<string> {
  try {
    const { askTemporal } = await import('./temporal/temporal-health.js');
    return await askTemporal(external.address, namespaceOf(), ANSWER_MS);
  } catch (error) {
    throw wrong('TEMPORAL_UNAVAILABLE', external, error);
  }
}

/**
 * Checks the named store. Its URL may hold a password and is not shown.
 * @throws AssayError STORE_UNAVAILABLE naming the variable
 */
export async function checkNamedStore(external: External): Promise<string> {
  try {
    return (await pingStore(external.address, ANSWER_MS)).version;
  } catch (error) {
    throw wrong('STORE_UNAVAILABLE', external, error);
  }
}

function wrong(
  code: 'TEMPORAL_UNAVAILABLE' | 'STORE_UNAVAILABLE',
  external: External,
  error: unknown,
): AssayError {
  const correct = `Correct ${external.variable}, or unset it: assay then runs a server of its own.`;
  const remedy = error instanceof AssayError && error.code === code ? error.remedy : correct;
  return new AssayError(code, `${external.variable} is set, but ${messageOf(error)}`, {
    cause: error,
    remedy,
  });
}
