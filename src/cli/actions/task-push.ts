import { loadTask, readTask } from '../../tasks/load.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

type Flags = CommonFlags & { profile?: string };

/** Stores a task in the named profile, else in all that it has. */
export async function run(dir: string, flags: Flags): Promise<void> {
  const { profiles } = await readTask(dir, { profile: flags.profile ?? null });
  const wanted = flags.profile === undefined && profiles.length > 0 ? profiles : [flags.profile ?? null];
  const loaded = await Promise.all(wanted.map((profile) => loadTask(dir, { profile })));
  const pushed = await withContext(['store'], ({ lineage }) =>
    Promise.all(
      loaded.map(async ({ spec, files, reference }) => ({
        reference,
        stored: await lineage.tasks.push(spec, files, 'person', reference),
      })),
    ),
  );
  const [first] = pushed;
  if (first === undefined) return;
  if (flags.json === true) {
    printJson({
      schema: 'assay.pushed/1',
      name: first.reference,
      digest: first.stored._id,
      files: first.stored.files.length,
      profiles: pushed.map(({ reference, stored }) => ({
        profile: stored.spec.profile ?? null,
        name: reference,
        digest: stored._id,
      })),
    });
    return;
  }
  print(pushed.map(({ reference, stored }) => `${reference} ${stored._id}`).join('\n'));
  say(
    `stored ${first.stored.files.length} files; \`assay start --task ${first.reference} --watch\` searches on it`,
  );
}
