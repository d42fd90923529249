import { join } from 'node:path';
import { cacheFolder } from '../../dev/paths.js';
import { openSandbox } from '../../sandbox/sandbox.js';
import { TaskHost } from '../../tasks/host.js';
import { neededByRuns } from '../../tasks/needed-by-runs.js';
import type { PrepareProgress } from '../../tasks/prepare-progress.js';
import { withContext } from '../context.js';
import { homeFolder } from '../folders.js';
import { prepareLine } from '../render/prepare.js';
import { taskText } from '../render/text.js';
import { print, say, type CommonFlags } from '../terminal/terminal.js';
import { storedTask } from '../use-cases/start-campaign.js';

type Flags = CommonFlags & { profile?: string };

/** A person waits for it, and can end it: what is fetched in a week is fetched. */
const LONGEST_S = 7 * 86_400;

/** Prepares the Python and the data of a task on this host, as its workers would. */
export async function run(reference: string, { profile, json }: Flags): Promise<void> {
  await withContext(['store'], async ({ lineage }) => {
    const task = await storedTask(lineage, reference, profile ?? null);
    const { _id: digest, spec, dataSecret, manifest } = task;
    const [home, cache] = [homeFolder(), cacheFolder()];
    const sandbox = await openSandbox({ needed: () => neededByRuns(join(home, 'work'), cache), cache });
    const tell = json === true ? tellJson : tellLine();
    const host = new TaskHost(home, cache, sandbox, undefined, { limitS: LONGEST_S, tell });
    const named = taskText({ ...spec, digest });
    if (json !== true) say(`preparing ${named} …`);
    const files = () => lineage.blobs.readFiles(task.files);
    const hosted = await host.host({ spec, digest, dataSecret, files }, new AbortController().signal);
    if (hosted.manifest !== null && manifest !== hosted.manifest)
      await lineage.tasks.agreeOnManifest(digest, hosted.manifest);
    const { version, executable } = hosted.python;
    if (json === true)
      printLine({
        schema: 'assay.prepared/1',
        task: spec.name,
        profile: spec.profile ?? null,
        digest,
        manifest: hosted.manifest,
        python: `${version} (${executable})`,
      });
    else
      print(
        `${named} is prepared: Python ${version}${hosted.manifest === null ? '' : `, data ${hosted.manifest.slice(0, 12)}`}`,
      );
  });
}

const printLine = (value: object): void => print(JSON.stringify(value));
const tellJson = (progress: PrepareProgress): void =>
  printLine({ schema: 'assay.prepare-progress/1', ...progress });

/** Tells progress on stderr: on a terminal a line a file that is written over, else one when it is done. */
function tellLine(): (progress: PrepareProgress) => void {
  const { stderr } = process;
  return (progress) => {
    const line = prepareLine(progress);
    if (progress.done || progress.note !== undefined) say(stderr.isTTY ? `\r\x1b[K${line}` : line);
    else if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`);
  };
}
