import { countedAsWritten, countedFiles, countedForm } from '../../domain/task/counted.js';
import { treeBytes } from '../../domain/task/entry-bytes.js';
import { certainMargins } from '../../domain/task/gates.js';
import { textOf } from '../../domain/text/diff.js';
import { mergeStep, mergeTexts, type MergeStep } from '../../domain/text/merge.js';
import { matchesGlob } from '../../domain/text/paths.js';
import type { Blobs } from '../../lineage/blob-store/blobs.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import { marginText, oneLine } from '../../model/answers.js';
import { snapshotFault } from '../../tasks/recipe.js';
import { refused, type Answer, type CallContext } from './answer.js';

/** Conflicts that are told, and characters of each side. */
const MOST_CONFLICTS = 20;
const SHOWN = 200;

/** Merges the files of another trial into the workspace, against the newest trial that both descend from. */
export async function merge(context: CallContext, number: number): Promise<Answer> {
  const { lineage, trials, workspace, frozen } = context;
  const other = await trials.get(number);
  if (other === null) return refused(context, `There is no trial ${number}.`);
  const ancestor = await commonAncestor(context, other);
  if (ancestor === null)
    return refused(context, `Trial ${number} and the workspace have no ancestor in common.`);
  const merged = await mergedFiles(context, { ancestor, other });
  if ('conflicts' in merged)
    return refused(
      context,
      [
        `The workspace and trial ${number} change the same places against trial ${ancestor.number}; nothing was merged:`,
        ...merged.conflicts.slice(0, MOST_CONFLICTS),
        ...(merged.conflicts.length > MOST_CONFLICTS
          ? [`[${merged.conflicts.length - MOST_CONFLICTS} more]`]
          : []),
      ].join('\n'),
    );
  const snapshot = await lineage.blobs.putTreeOf(merged.files);
  const fault = await snapshotFault(lineage, await lineage.tasks.get(frozen.task.digest), snapshot);
  if (fault !== null) return refused(context, `Trial ${number} cannot be merged: ${fault}.`);
  const head = `merged trial ${number} into the workspace, which stands on trial ${workspace.base}; both descend from trial ${ancestor.number}`;
  const changed = merged.changed.length === 0 ? 'nothing changed' : `changed: ${merged.changed.join(', ')}`;
  return {
    text: [head, changed, ...sizes(context, merged.files)].join('\n'),
    isError: false,
    workspace: { ...workspace, snapshot },
  };
}

/** Margins of the gates that the files alone tell, where they count as they are written. */
function sizes({ spec }: CallContext, files: readonly StoredFile[]): string[] {
  if (!countedAsWritten(countedForm(spec.recipe))) return [];
  const counted = files.filter(({ path }) => matchesGlob(path, countedFiles(spec.recipe)));
  return certainMargins(spec.gates, treeBytes(counted)).map((margin) => `gate ${marginText(margin)} (exact)`);
}

type Merged = { files: StoredFile[]; changed: string[] } | { conflicts: string[] };

async function mergedFiles(
  { lineage: { blobs }, workspace }: CallContext,
  { ancestor, other }: { ancestor: TrialDocument; other: TrialDocument },
): Promise<Merged> {
  const [base, ours, theirs] = await Promise.all(
    [ancestor, workspace, other].map(async ({ snapshot }) => byPath(await blobs.tree(snapshot))),
  );
  const [files, changed, conflicts]: [StoredFile[], string[], string[]] = [[], [], []];
  for (const path of [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])].sort()) {
    const sides = { base: base?.get(path), ours: ours?.get(path), theirs: theirs?.get(path) };
    const step = mergeStep(sides.base?.sha256, sides.ours?.sha256, sides.theirs?.sha256);
    if (step !== 'ours') changed.push(path);
    const found = await mergedFile(blobs, step, sides);
    if ('conflicts' in found) conflicts.push(...found.conflicts.map((one) => `${oneLine(path)}${one}`));
    else files.push(...found.files);
  }
  return conflicts.length > 0 ? { conflicts } : { files, changed };
}

const byPath = (files: readonly StoredFile[]): Map<string, StoredFile> =>
  new Map(files.map((file) => [file.path, file]));

/** A file in the tree that two changes come from, and as each of them has it. */
interface Sides {
  base: StoredFile | undefined;
  ours: StoredFile | undefined;
  theirs: StoredFile | undefined;
}

/** Merges one file; it is none where a side has deleted it. */
async function mergedFile(
  blobs: Blobs,
  step: MergeStep,
  { base, ours, theirs }: Sides,
): Promise<{ files: StoredFile[] } | { conflicts: string[] }> {
  if (step === 'ours') return { files: ours === undefined ? [] : [ours] };
  if (step === 'theirs') return { files: theirs === undefined ? [] : [theirs] };
  if (step === 'conflict' || ours === undefined || theirs === undefined)
    return { conflicts: [': one side deleted it, the other changed it'] };
  const textAt = async (file: StoredFile | undefined): Promise<string | null> =>
    file === undefined ? '' : textOf(await blobs.get(file.sha256));
  const [before, mine, its] = [await textAt(base), await textAt(ours), await textAt(theirs)];
  if (before === null || mine === null || its === null)
    return { conflicts: [': both sides changed it, and it is no text'] };
  const merged = mergeTexts(before, mine, its);
  if ('refused' in merged) return { conflicts: [`: ${merged.refused}`] };
  if ('text' in merged)
    return { files: await blobs.putFiles([{ path: ours.path, bytes: Buffer.from(merged.text) }]) };
  return {
    conflicts: merged.conflicts.map(
      (one) => `:${one.line}: yours ${quoted(one.ours)}, theirs ${quoted(one.theirs)}`,
    ),
  };
}

const quoted = (text: string): string => `"${oneLine(text).slice(0, SHOWN)}"`;

/** Ancestors that are looked at on each side. */
const MOST_ANCESTORS = 10_000;

/** The newest trial that the workspace and another trial descend from; either may be it. */
async function commonAncestor(
  { trials, workspace }: CallContext,
  other: TrialDocument,
): Promise<TrialDocument | null> {
  const own = new Set<number>();
  for (let at: number | null = workspace.base; at !== null && own.size < MOST_ANCESTORS;) {
    own.add(at);
    at = (await trials.get(at))?.parent ?? null;
  }
  let at: TrialDocument | null = other;
  for (let steps = 0; at !== null && steps < MOST_ANCESTORS; steps += 1) {
    if (own.has(at.number)) return at;
    at = at.parent === null ? null : await trials.get(at.parent);
  }
  return null;
}
