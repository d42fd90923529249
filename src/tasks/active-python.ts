import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AssayError } from '../domain/errors.js';
import { describe, type Interpreter } from './interpreter.js';

/** Source of the name of the active interpreter. */
export type NamedBy = 'ASSAY_PYTHON' | 'VIRTUAL_ENV' | 'PATH';

/** The interpreter that a person has active, as it describes itself in the person's own environment. */
export interface ActivePython {
  namedBy: NamedBy;
  /** The command as a person would type it. */
  command: string;
  interpreter: Interpreter;
}

const REMEDIES: Record<NamedBy, string> = {
  ASSAY_PYTHON: 'Name a Python 3.10 or later in ASSAY_PYTHON, or unset it.',
  VIRTUAL_ENV: 'Create the virtual environment again with Python 3.10 or later, or unset VIRTUAL_ENV.',
  PATH: 'Install or activate a Python 3.10 or later, or name one in ASSAY_PYTHON.',
};

/** Variables that no interpreter needs. */
const SECRET = /KEY|TOKEN|SECRET|PASSWORD|MONGODB_URL/i;

/**
 * Asks the interpreter that ASSAY_PYTHON names (a command, or a path from the current folder), else that of the virtual
 * environment that is active, else the `python3` of PATH. Shims and wrappers answer with what they start.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function activePython(signal: AbortSignal): Promise<ActivePython> {
  const { namedBy, command } = named(process.env);
  const env = personEnvironment();
  const of = { cwd: process.cwd(), env, signal, where: `(named by ${namedBy})`, remedy: REMEDIES[namedBy] };
  return { namedBy, command, interpreter: await describe(command, of) };
}

/** The environment of the person, as far as an interpreter may need it. */
export function personEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || SECRET.test(name) ? [] : [[name, value]],
    ),
  );
}

function named(env: NodeJS.ProcessEnv): { namedBy: NamedBy; command: string } {
  const { ASSAY_PYTHON: own, VIRTUAL_ENV: environment } = env;
  if (own !== undefined && own !== '')
    return { namedBy: 'ASSAY_PYTHON', command: own.includes('/') ? resolve(own) : own };
  if (environment === undefined || environment === '') return { namedBy: 'PATH', command: 'python3' };
  const command = join(resolve(environment), 'bin', 'python');
  if (existsSync(command)) return { namedBy: 'VIRTUAL_ENV', command };
  throw new AssayError('PYTHON_UNAVAILABLE', `VIRTUAL_ENV names ${environment}, and there is no ${command}`, {
    remedy: 'Create and activate the environment again, or unset VIRTUAL_ENV.',
  });
}
