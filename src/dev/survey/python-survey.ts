import { homedir } from 'node:os';
import { AssayError, messageOf } from '../../domain/errors.js';
import { openSandbox } from '../../sandbox/sandbox.js';
import { activePython } from '../../tasks/active-python.js';
import { nameOf } from '../../tasks/interpreter.js';
import { findPython } from '../../tasks/python.js';
import { requireUsable } from '../../tasks/same-python.js';
import { outputOf } from '../process/commands.js';

/** Finding about a Python, with a remedy where something is missing. */
export interface PythonFinding {
  found: string;
  remedy: string | null;
}

const NEVER = new AbortController().signal;

/** Looks at the Python that tasks of this person use: which one, what named it, and whether every phase can run it. */
export async function surveyPython(of: { home: string; cache: string }): Promise<PythonFinding> {
  try {
    const { interpreter, namedBy } = await activePython(NEVER);
    const found = `${nameOf(interpreter)}, named by ${namedBy}`;
    if ((await outputOf(interpreter.executable, ['-c', 'import venv, ensurepip'])) === null)
      return {
        found: `${found}: lacks venv or ensurepip, which tasks with requirements need`,
        remedy: 'Install the venv module of this Python (python3-venv), or name another in ASSAY_PYTHON.',
      };
    const python = await findPython(of.cache, null, NEVER);
    const needed = () => Promise.resolve([of.home, of.cache, ...python.folders]);
    await requireUsable(await openSandbox({ needed }), python, [of.home, homedir()], NEVER);
    return { found, remedy: null };
  } catch (error) {
    const remedy = error instanceof AssayError ? error.remedy : 'Repeat it with --debug.';
    return { found: messageOf(error), remedy };
  }
}
