import type { Isolation } from '../../src/domain/task/isolation.js';
import type { Failure } from '../../src/domain/trial/outcome.js';
import type { TrialStatus } from '../../src/domain/statuses.js';

/** Fields of a trial's isolation, apart from the tier's name. */
export type Held = Exclude<keyof Isolation, 'tier'>;

/** Outcome of an attack in one tier. */
export interface Outcome {
  /** Every status that names what happened; more than one where a race decides. Never `keep`. */
  ends: readonly Exclude<TrialStatus, 'keep'>[];
  phase?: Failure['phase'];
  /** The limit that the failure names. */
  limit?: 'wall' | 'memory' | 'disk' | 'output' | 'processes' | 'names' | 'depth' | 'size' | 'budget';
  /** Pattern of the failure's reason. */
  reason?: RegExp;
  /** Not prevented: the trial's isolation must say so. */
  label?: Held;
}

/** An attack that is not run because it would harm the machine that tests; the label must say that it could. */
export interface NotRun {
  notRun: string;
  label: Held;
}

/**
 * A small hostile recipe. A log line `BREACH field …` reports access to something that `field` of the label protects.
 */
export interface Attack {
  name: string;
  /** Action of the recipe, for docs/security.md. */
  does: string;
  /** Python after PRELUDE; `artifact(x)` leaves a legitimate artifact. */
  code: string;
  /** Outcome where files, network and processes are held back (tiers A to C). */
  best: Outcome;
  /** Outcome where nothing is (tier E). */
  group: Outcome | NotRun;
  /** True if it runs alone: it uses much of the machine, or damages shared state. */
  alone?: true;
  /** Runs over its time on purpose, or where a race goes so: it has little. */
  brief?: true;
  /** Held to a gate of 24,000 bytes. */
  gated?: true;
}

/** Seconds that a process sleeps which has to be found; each arena takes others. */
export const NAP = '86397';

/**
 * Beginning of each attack's recipe: the start's loss is 4 and this artifact is worse, so that no attack deserves a
 * keep.
 */
export const PRELUDE = `
import ctypes, glob, json, os, signal, socket, subprocess, sys, time
OUT = os.environ["ASSAY_OUTPUT"]
HOME = os.environ["HOME"]
# where the harness keeps tasks and data, as far as a recipe can guess it from its own path
HARNESS = os.path.abspath(os.path.join(OUT, *[".."] * 4))
def put(name, content):
    with open(os.path.join(OUT, name), "wb" if isinstance(content, bytes) else "w") as file: file.write(content)
def artifact(x=0.5): put("x.json", json.dumps({"x": x}))
def breach(field, what): print("BREACH", field, what, flush=True)
def tried(call, *args):
    try: return call(*args)
    except Exception as error:
        print("denied:", type(error).__name__, error, flush=True)
        return None
def daemon(code):
    subprocess.Popen([sys.executable, "-c", "import os, sys, time\\nOUT = sys.argv[1]\\n" + code, OUT, "${NAP}"],
                     start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
`;

export const DISCARDED: Outcome = { ends: ['discard'] };
/** Expects the same outcome in every tier. */
export const same = (outcome: Outcome): Pick<Attack, 'best' | 'group'> => ({ best: outcome, group: outcome });
/** Held back where files, network and processes are; else only labelled. */
export const labelled = (label: Held): Pick<Attack, 'best' | 'group'> => ({
  best: DISCARDED,
  group: { ...DISCARDED, label },
});

export const isRun = (outcome: Outcome | NotRun): outcome is Outcome => 'ends' in outcome;

/**
 * Returns the expected outcome of an attack under the isolation of a worker's runs. An attack that would harm the
 * machine runs only where the kernel enforces both processes and the target of the attack; the others end as in a
 * process group only where nothing isolates them.
 */
export function expectedUnder({ best, group }: Attack, isolation: Isolation): Outcome | NotRun {
  if (!isRun(group))
    return isolation.pid === 'enforced' && isolation[group.label] === 'enforced' ? best : group;
  return isolation.fs === 'none' || isolation[group.label ?? 'fs'] === 'none' ? group : best;
}

/** Lines of Python as the body of a function. */
export const bodyOf = (lines: string): string =>
  lines
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
