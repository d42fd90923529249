import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../domain/errors.js';
import { outputOf } from '../process/commands.js';
import { checkNamedStore, checkNamedTemporal, namedStore, namedTemporal } from '../external.js';
import { javaTool } from '../store/fallback-store.js';
import { onPath } from '../files.js';
import { cacheFolder, homeAt } from '../paths.js';
import { isWeaker, type TierName } from '../../domain/task/isolation.js';
import { freeSpaceAt, freeSpaceText } from '../../sandbox/host/free-space.js';
import { promiseTier } from '../../sandbox/host/promised-tier.js';
import { surveyRoots, surveyTiers } from '../../sandbox/sandbox.js';
import { neededByRuns } from '../../tasks/needed-by-runs.js';
import { isNearlyFull, isTooFull } from '../disk-space.js';
import { surveyPython } from './python-survey.js';
import { presentStoreProgram } from '../store/store-program.js';
import { presentTemporalProgram } from '../temporal/temporal-program.js';

/** One line of `assay doctor`. */
export interface Finding {
  part: string;
  ok: boolean;
  /** Finding in words; never a secret. */
  found: string;
  /** Remedy, where one is needed. */
  remedy: string | null;
  /** Set where assay cannot run at all until it is done. */
  essential?: boolean;
}

const WANTED_FREE_BYTES = 5e9;

/**
 * Looks at what this machine has; starts nothing that stays, and downloads nothing. The tier that it finds is
 * remembered in the cache.
 */
export async function survey(options: { home: string }): Promise<Finding[]> {
  const parts = [
    python(options.home),
    temporal(),
    store(options.home),
    packages(),
    isolation(options.home),
    servers(),
    disk(options.home),
  ];
  return [platform(), node(), ...(await Promise.all(parts)), key()];
}

const good = (part: string, found: string): Finding => ({ part, ok: true, found, remedy: null });
const bad = (part: string, found: string, remedy: string): Finding => ({ part, ok: false, found, remedy });

function platform(): Finding {
  const found = `${process.platform} ${process.arch}`;
  const fine = process.platform === 'linux' || process.platform === 'darwin';
  return fine ? good('Platform', found) : bad('Platform', found, 'Use Linux, macOS or WSL2.');
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 20 || (major === 20 && minor >= 19);
  return fine ? good('Node', process.version) : bad('Node', process.version, 'Install Node 20.19 or later.');
}

async function python(home: string): Promise<Finding> {
  const { found, remedy } = await surveyPython({ home: existing(home), cache: cacheFolder() });
  return remedy === null ? good('Python', found) : bad('Python', found, remedy);
}

async function temporal(): Promise<Finding> {
  const named = namedTemporal();
  try {
    if (named)
      return good('Temporal', `server ${await checkNamedTemporal(named)}, named by ${named.variable}`);
  } catch (error) {
    return bad('Temporal', messageOf(error), 'Correct the variable or unset it.');
  }
  const program = await presentTemporalProgram();
  if (program !== null) return good('Temporal', program.how);
  return good('Temporal', 'not here yet; the first command that needs it downloads it');
}

async function store(home: string): Promise<Finding> {
  const named = namedStore();
  try {
    if (named) return good('Store', `MongoDB ${await checkNamedStore(named)}, named by ${named.variable}`);
  } catch (error) {
    return bad('Store', messageOf(error), 'Correct the variable or unset it.');
  }
  const program = await presentStoreProgram(homeAt(home));
  if (program !== null) return good('Store', program.how);
  return good('Store', 'not here yet; the first command that needs it downloads it');
}

/** Wanted only where official downloads are blocked, so never a fault by itself. */
async function packages(): Promise<Finding> {
  const java = await javaTool('java');
  const version =
    java === null ? null : /version "([^"]+)/.exec((await outputOf(java, ['-version'])) ?? '')?.[1];
  const maven = (await onPath('mvn')) === null ? 'no Maven' : 'Maven';
  const compiler = (await javaTool('javac')) === null ? 'no javac' : 'javac';
  const found = version ? `Java ${version}, ${compiler}, ${maven}` : `no Java, ${maven}`;
  return good('JDK and Maven', `${found} (used only where mongod cannot be downloaded)`);
}

/** The tier that a worker started here would hold, by trying it, and what the stronger ones lack. */
async function isolation(home: string): Promise<Finding> {
  const part = 'Isolation';
  try {
    // what a worker asks for, or the promise would be another than what it finds
    const tiers = await surveyTiers({ needed: () => neededByRuns(existing(home), cacheFolder()) });
    const untried = tiers.find(({ failed }) => failed);
    if (untried !== undefined)
      return bad(
        part,
        `it is not known whether tier ${untried.tier} holds: ${untried.why ?? ''}`,
        untried.remedy ?? '',
      );
    const lacking = tiers.flatMap(({ tier, why }) => (why === null ? [] : [`${tier}: ${why}`]));
    const held = tiers.find(({ why }) => why === null);
    const found = `tier ${held?.tier ?? 'E'}${lacking.length === 0 ? '' : `; not ${lacking.join('; not ')}`}`;
    const unnoted = held === undefined ? null : await noted(held.tier);
    if (unnoted !== null)
      return bad(
        part,
        `${found}; it could not be noted (${unnoted}), so that workers go by what was noted before`,
        'Let this user write to the cache, or set ASSAY_CACHE to a folder of its own.',
      );
    if (held !== undefined && !isWeaker(held.tier, 'B')) return good(part, found);
    const remedy = tiers.find(({ tier, why }) => why !== null && tier !== 'A')?.remedy ?? '';
    return held !== undefined && !isWeaker(held.tier, 'C')
      ? { ...good(part, found), remedy }
      : bad(part, found, `${remedy} Until then recipes run with weaker isolation.`);
  } catch (error) {
    return bad(part, `could not be tried: ${messageOf(error)}`, 'Repeat it with --debug.');
  }
}

/** Notes a tier, so that a worker that would hold less says so and stops; returns in words why it cannot be noted. */
async function noted(tier: TierName): Promise<string | null> {
  try {
    await promiseTier(cacheFolder(), tier);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Surveys how far servers that see held-out data are cut off from other runs, by starting one in a root of its own.
 */
async function servers(): Promise<Finding> {
  const part = 'Roots of servers';
  try {
    const { channels, why } = await surveyRoots(cacheFolder());
    const found = `channels ${channels}${why === null ? '' : `: ${why}`}`;
    if (why === null) return good(part, found);
    const remedy =
      process.getuid?.() === 0
        ? 'Install erofs-utils, and let the worker mount (CAP_SYS_ADMIN, loop devices).'
        : 'Run the worker as root, so that servers have images, device nodes and users of their own.';
    return { ...good(part, found), remedy };
  } catch (error) {
    return bad(part, `could not be tried: ${messageOf(error)}`, 'Repeat it with --debug.');
  }
}

/** A folder, or the nearest one above it that is there already. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}

async function disk(home: string): Promise<Finding> {
  const rooms = await Promise.all([home, cacheFolder()].map(freeSpaceAt));
  const [least] = rooms.sort((a, b) => a.bytes - b.bytes);
  const remedy = 'Free some disk space, or set ASSAY_HOME and ASSAY_CACHE to folders on another disk.';
  if (least === undefined || rooms.some(isTooFull))
    return { ...bad('Disk', `full: ${rooms.map(freeSpaceText).join(', ')}`, remedy), essential: true };
  return least.bytes >= WANTED_FREE_BYTES && !rooms.some(isNearlyFull)
    ? good('Disk', freeSpaceText(least))
    : bad('Disk', freeSpaceText(least), remedy);
}

function key(): Finding {
  const there = process.env['ANTHROPIC_API_KEY'] ?? process.env['ANTHROPIC_AUTH_TOKEN'];
  if (there) return good('Model', 'a key is set');
  return good('Model', 'no ANTHROPIC_API_KEY: the offline proposer is used');
}
