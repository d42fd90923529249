import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { definedFields } from '../domain/defined-fields.js';
import { AssayError } from '../domain/errors.js';
import type { Scored } from '../sandbox/scoring/judge.js';
import { score, type ScoreRequest } from '../sandbox/scoring/score.js';
import { seal, type Sealed } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import { kitFolder } from '../tasks/kit.js';
import type { RunHost } from './host-context.js';
import { artifactLimits, requestOf, type PhaseCall } from './phases/phase.js';
import { makeRunFolders, removeRunFolders } from './phases/run-folders.js';
import { cacheCall, copyCache } from './phases/private-cache.js';
import { sealedAgain } from './phases/reused-phase.js';
import { sealedOrRefused } from './phases/seal-outputs.js';
import { writeProcesses, type ToldProcess } from './told-processes.js';

/** A block that two files share on the disk is still a page of its own in memory. */
const COPY = { recursive: true, mode: constants.COPYFILE_FICLONE };

/** Input of a scoring. */
export interface Scoring {
  /** Name of the workspace, which is fresh and gone afterwards. */
  name: string;
  /** Id that its processes are found by. */
  id: string;
  snapshot: string;
  /** `put` writes the sealed files into a folder that is not there yet. */
  artifact: { digest: string; put: (to: string) => Promise<unknown> };
  /** What the evaluator is told of the processes that left it; null where nothing is. */
  processes: readonly ToldProcess[] | null;
  /** The cache that each server gets a copy of; `put` as for the artifact. Null where there is none. */
  cache: { sealed: Pick<Sealed, 'bytes' | 'files'>; put: (to: string) => Promise<unknown> } | null;
  /** Metrics that the harness measured before. */
  known: Record<string, number>;
  /** The part of the data that the evaluator finds; null for a task without data. */
  data: string | null;
  /** Additional environment of the evaluator alone. */
  env: Record<string, string>;
}

/**
 * The one way in which a recipe's artifact meets the evaluator. `damage` says what the recipe changed that it must
 * not.
 * @throws AssayError HOST_FAULT
 */
export async function scoreSealed(
  context: RunHost,
  hosted: HostedTask,
  of: Scoring,
  signal: AbortSignal,
): Promise<{ scored: Scored; damage: string | null }> {
  await context.tasks.requireServers(hosted, signal);
  const files = await context.lineage.blobs.tree(of.snapshot);
  const { folder, recipe, tmp } = await makeRunFolders(context, of.name, files);
  try {
    const sealed = join(folder, 'sealed');
    const harness = join(folder, 'harness.json');
    await of.artifact.put(sealed);
    await writeFile(harness, JSON.stringify(of.known));
    const call = { folders: { folder, recipe, tmp, sealed, harness }, signal };
    return await scoreIn(context, hosted, of, call);
  } finally {
    await removeRunFolders({ folder });
  }
}

async function scoreIn(
  context: RunHost,
  hosted: HostedTask,
  of: Scoring,
  call: { folders: Folders; signal: AbortSignal },
): Promise<{ scored: Scored; damage: string | null }> {
  const { tasks } = context;
  const requests = await requestsOf(context, hosted, of, call);
  // a server is the recipe's code; an evaluator alone is only told when what it used was changed beside it
  const { result: scored, damage } = await tasks.tampering.during(requests.server !== null, () =>
    scoredOn(context, requests),
  );
  call.signal.throwIfAborted();
  if (damage !== null) return { scored, damage };
  if (!tasks.tampering.active) return { scored, damage: null };
  const servers = [requests.server, requests.twin].filter((server) => server !== null);
  for (const copy of [call.folders.sealed, ...servers.map(({ artifact }) => artifact)]) {
    if (await isWhole(copy, of.artifact.digest, hosted)) continue;
    if (servers.length > 0) return { scored, damage: 'its sealed artifact' };
    throw new AssayError('HOST_FAULT', 'a sealed artifact was changed while it was evaluated');
  }
  return { scored, damage: null };
}

/** An evaluator runs outside the sandbox, so its devices are watched here. */
async function scoredOn({ sandbox, granted }: RunHost, requests: ScoreRequest): Promise<Scored> {
  const { devices } = requests.evaluator;
  if (granted === null || devices === undefined) return score(sandbox, requests);
  const { result, deviceUse } = await granted.during(devices, () => score(sandbox, requests));
  return { ...result, evaluatorRun: { ...result.evaluatorRun, deviceUse } };
}

/** Folders of one scoring, with the recipe and the sealed artifact in them. */
interface Folders {
  folder: string;
  recipe: string;
  tmp: string;
  sealed: string;
  harness: string;
}

/** Builds the requests of evaluator and servers, whose folders it makes. */
export async function requestsOf(
  context: RunHost,
  hosted: HostedTask,
  { id, data: held, processes: told, cache, env }: Scoring,
  { folders, signal }: { folders: Folders; signal: AbortSignal },
) {
  const { evaluate: evaluator, phases, scoring } = hosted.spec;
  const { folder, recipe, tmp, sealed, harness } = folders;
  const { serve } = phases;
  const warmed = join(folder, 'warm');
  if (serve !== undefined) await cache?.put(warmed);
  const serving = async (startupS: number, command: string) => {
    // twins have equal commands and environments but for a name by chance, and no file in common
    const name = `serve-${randomBytes(8).toString('hex')}`;
    const own = join(folder, name);
    const [home, code, artifact] = [join(own, 'home'), join(own, 'recipe'), join(own, 'artifact')];
    await mkdir(home, { recursive: true });
    await cp(recipe, code, COPY);
    await cp(sealed, artifact, COPY);
    const warm = cache === null ? null : { folder: warmed, sealed: sealedAgain(cache.sealed) };
    await copyCache(warm, join(own, 'cache'));
    const call: PhaseCall = {
      id: `${id}/${name}`,
      phase: 'evaluate',
      command,
      cwd: code,
      timeoutS: evaluator.timeout_s + startupS,
      writable: [],
      readable: [code, artifact],
      seesHeldOut: true,
      env: { ASSAY_ARTIFACT: artifact },
      ...cacheCall(warm, join(own, 'cache')),
      signal,
    };
    return { ...requestOf(context, hosted, call, home), startupS, artifact };
  };
  const list = told === null ? null : await writeProcesses(join(folder, 'processes'), told);
  const data = definedFields({ ASSAY_DATA: held, ASSAY_PROCESSES: list });
  const kit = scoring === 'served' ? { PYTHONPATH: kitFolder(hosted.folder) } : {};
  return {
    server: serve === undefined ? null : await serving(serve.startup_s, serve.run),
    twin: serve?.twins === true ? await serving(serve.startup_s, serve.run) : null,
    evaluator: requestOf(
      context,
      hosted,
      {
        id: `${id}/evaluate`,
        phase: 'evaluate',
        command: evaluator.run,
        cwd: hosted.folder,
        timeoutS: evaluator.timeout_s,
        writable: [],
        readable: [hosted.folder, sealed, harness, held, list].filter((path) => path !== null),
        env: { ASSAY_ARTIFACT: sealed, ASSAY_HARNESS: harness, ...kit, ...data, ...env },
        signal,
      },
      tmp,
    ),
  };
}

async function isWhole(sealed: string, digest: string, hosted: HostedTask): Promise<boolean> {
  const now = await sealedOrRefused(seal(sealed, artifactLimits(hosted)));
  return now.sealed?.digest === digest;
}
