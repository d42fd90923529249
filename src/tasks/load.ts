import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, isMap, isNode, isScalar, parseDocument, stringify, type Document } from 'yaml';
import type { z } from 'zod';
import { AssayError, messageOf } from '../domain/errors.js';
import { explainIssue } from '../domain/text/explain.js';
import { firstNameFault, matchesGlob } from '../domain/text/paths.js';
import { seenBy } from '../domain/task/phase-key.js';
import {
  fixedField,
  profilesIn,
  referenceOf,
  resolveProfile,
  unknownProfile,
} from '../domain/task/profiles.js';
import { sourcesOf } from '../domain/task/schema/source.js';
import { taskSchema, type Task } from '../domain/task/task.js';
import { FOLDER_LIMITS } from '../domain/task/recipe.js';
import { readFolder, readRegular, type FolderFile } from './folder.js';
import { withKit } from './kit.js';
import { checkSpecialists } from './specialist-file.js';
import { bringSources } from './source/assemble.js';
import { sourceSettings, type SourceSettings } from './source/cache.js';

/** A task folder, read whole, in one of its profiles. */
export interface LoadedTask {
  spec: Task;
  files: FolderFile[];
  /** The name that it is stored under: with that of its profile, where that is not the default. */
  reference: string;
  /** All profiles of the task, the default first; empty in a task without. */
  profiles: string[];
}

/** A task.yaml in one of its profiles. */
export type ReadTask = Omit<LoadedTask, 'files'> & {
  /** Text of the task.yaml that this profile alone has; that of the file in a task without profiles. */
  text: string;
};

/** Far above any task.yaml; what it may expand to by aliases is bounded by the parser. */
const SPEC_BYTES = 256 * 1024;
const LIMITS = { ...FOLDER_LIMITS, code: 'TASK_INVALID' } as const;

/**
 * Parses the text of a task.yaml in its default profile; the others are checked as well.
 * @throws AssayError TASK_INVALID with path, line and column of a wrong field, unknown keys first
 */
export function parseTask(text: string, file: string): Task {
  return parseProfile(text, file, null).spec;
}

/**
 * Parses the text of a task.yaml in a profile; the others are checked as well.
 * @throws AssayError TASK_INVALID with path, line and column of a wrong field, PROFILE_UNKNOWN
 */
export function parseProfile(text: string, file: string, profile: string | null): ReadTask {
  try {
    return parsedProfile(text, file, profile);
  } catch (error) {
    if (error instanceof AssayError) throw error;
    // the parser gives up on aliases that multiply
    throw new AssayError('TASK_INVALID', `${file}:1:1: not usable as YAML: ${messageOf(error)}`);
  }
}

function parsedProfile(text: string, file: string, profile: string | null): ReadTask {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    const message = /call stack/i.test(syntax.message) ? 'nested too deeply' : syntax.message;
    throw new AssayError('TASK_INVALID', `${file}:${line}:${col}: ${message}`);
  }
  const content: unknown = document.toJS();
  const place: Place = { file, document, lines };
  requireProfiles(content, place);
  const { known } = resolveProfile(content, null);
  const specs = new Map(
    (known.length === 0 ? [null] : known).map((name) => [name, checked(content, name, place)]),
  );
  const chosen = resolveProfile(content, profile);
  const spec = specs.get(chosen.profile);
  if (spec === undefined) throw unknownProfile(file, chosen.profile ?? '', known);
  return {
    spec,
    reference: referenceOf(spec.name, chosen.isDefault ? null : chosen.profile),
    profiles: known,
    text: known.length === 0 ? text : stringify(chosen.content),
  };
}

/** A file and where its fields stand. */
interface Place {
  file: string;
  document: Document;
  lines: LineCounter;
}

/** @throws AssayError TASK_INVALID where what declares the profiles is wrong itself */
function requireProfiles(content: unknown, place: Place): void {
  const parsed = profilesIn(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    // what is no object at all is told with the rest
    if (issue !== undefined && issue.path.length > 0) throw invalid(issue, place, []);
    return;
  }
  const { profiles, default_profile: usual } = parsed.data;
  if (usual !== undefined && (profiles === undefined || Object.hasOwn(profiles, usual)))
    throw invalid(
      {
        code: 'custom',
        path: ['default_profile'],
        message:
          profiles === undefined
            ? 'names what stands outside `profiles`, and there are none'
            : `"${usual}" is also one of \`profiles\`; it names what stands outside of them`,
      },
      place,
      [],
    );
  for (const [name, part] of Object.entries(profiles ?? {})) {
    const fixed = fixedField(part);
    if (fixed === null) continue;
    const message = `a profile cannot change ${fixed}: another task can, in a folder of its own`;
    throw invalid({ code: 'custom', path: ['profiles', name, fixed], message }, place, []);
  }
}

function checked(content: unknown, profile: string | null, place: Place): Task {
  const { content: resolved, isDefault } = resolveProfile(content, profile);
  if (isDefault && isRecord(content) && 'profile' in content)
    throw invalid(
      {
        code: 'custom',
        path: ['profile'],
        message: 'is set by assay; `default_profile` names what stands here',
      },
      place,
      [],
    );
  const parsed = taskSchema.safeParse(resolved);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // a misspelt key is unknown here and missing there: the first is the one to fix
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw new AssayError('TASK_INVALID', `${place.file}:1:1: malformed`);
  throw invalid(issue, place, isDefault || profile === null ? [] : ['profiles', profile]);
}

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The error of a field, at its place in the profile at fault, else outside of it. */
function invalid(issue: z.core.$ZodIssue, { file, document, lines }: Place, within: string[]): AssayError {
  const inProfile = within.length > 0 && document.hasIn([...within, ...issue.path.slice(0, 1).map(String)]);
  const at = placeOf(document, inProfile ? { ...issue, path: [...within, ...issue.path] } : issue, lines);
  const whose = within.length === 0 ? '' : `profile "${within[1] ?? ''}": `;
  return new AssayError('TASK_INVALID', `${file}:${at}: ${whose}${explainIssue(issue)}`);
}

/** The place of an unknown key, or of the deepest node on the issue's path that exists. */
function placeOf(document: Document, issue: z.core.$ZodIssue, lines: LineCounter): string {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const found = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const unknown = issue.code === 'unrecognized_keys' ? keyOf(found, issue.keys[0]) : undefined;
    const node = unknown ?? found;
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return `${line}:${col}`;
    }
  }
  return '1:1';
}

function keyOf(node: unknown, name: string | undefined): unknown {
  if (!isMap(node)) return undefined;
  return node.items.find(({ key }) => isScalar(key) && key.value === name)?.key;
}

/** How a task folder is read. */
export interface LoadOptions {
  /** Name of a profile; null for the default. */
  profile?: string | null;
  /** Where upstream sources come from; by default as the environment says. */
  sources?: SourceSettings;
}

/**
 * Reads the task.yaml of a folder and nothing else of it.
 * @throws AssayError TASK_UNKNOWN when the folder has no task.yaml, PROFILE_UNKNOWN, TASK_INVALID
 */
export async function readTask(folder: string, { profile = null }: LoadOptions = {}): Promise<ReadTask> {
  const path = join(folder, 'task.yaml');
  if ((await lstat(path).catch(() => null)) === null)
    throw new AssayError('TASK_UNKNOWN', `${folder} has no task.yaml`);
  const bytes = await readRegular(path, path, { maxFileBytes: SPEC_BYTES, code: 'TASK_INVALID' });
  return parseProfile(utf8Of(bytes, path), path, profile);
}

/**
 * Reads and checks a task folder. In a task with profiles its task.yaml becomes that of the profile alone, so that each
 * has a digest of its own, which changes with nothing of another.
 * What it takes from other repositories is among its files.
 * @throws AssayError TASK_UNKNOWN when the folder has no task.yaml, PROFILE_UNKNOWN, SOURCE_UNAVAILABLE,
 * SOURCE_INVALID, TASK_INVALID otherwise
 */
export async function loadTask(folder: string, options: LoadOptions = {}): Promise<LoadedTask> {
  const path = join(folder, 'task.yaml');
  const { text, ...read } = await readTask(folder, options);
  const { spec } = read;
  const own = (await readFolder(folder, LIMITS)).map((file) =>
    file.path === 'task.yaml' && read.profiles.length > 0 ? { ...file, bytes: Buffer.from(text) } : file,
  );
  const brought = await bringSources(sourcesOf(spec), own, options.sources ?? sourceSettings());
  const files = await withKit(spec, [...own, ...brought]);
  const missing = referenced(spec).find((name) => !files.some((file) => file.path === name));
  if (missing !== undefined)
    throw new AssayError('TASK_INVALID', `${path}: the task names ${missing}, which is not in the folder`);
  checkSpecialists(spec, files);
  const recipe = recipeFiles(spec, files);
  if (recipe.length === 0)
    throw new AssayError('TASK_INVALID', `${path}: the folder ${spec.recipe.root}/ has no files`);
  const wrong = firstNameFault(recipe.map((file) => file.path));
  if (wrong !== null) throw new AssayError('TASK_INVALID', `${path}: ${wrong}`);
  const lost = readsNothing(spec, recipe);
  if (lost !== null) throw new AssayError('TASK_INVALID', `${path}: ${lost}`);
  return { ...read, files };
}

/**
 * The first entry of `reads` that stands for nothing, in words: a phase would run without what was meant, and its key
 * would not change with it. What agents may add need not be there yet.
 */
function readsNothing(spec: Task, recipe: readonly FolderFile[]): string | null {
  const { train, pack, prewarm } = spec.phases;
  const data = spec.data === undefined ? [] : [`the training data "${asFolder(spec.data.train)}"`];
  const warmed = prewarm === undefined ? [] : [`the cache ("${asFolder(prewarm.output)}")`];
  const left = `what training leaves ("${asFolder(train.output)}")`;
  for (const [phase, of] of [
    ['train', train],
    ['pack', pack],
    ['prewarm', prewarm],
  ] as const) {
    if ((of?.reads.length ?? 0) === 0) continue;
    const named = seenBy(spec, phase).recipe ?? [];
    const lost = named.find((entry) => !standsFor(entry, spec, recipe));
    if (lost === undefined) continue;
    const known = [
      'a file or glob of the recipe',
      ...(phase === 'prewarm' ? [] : [...data, ...warmed]),
      ...(phase === 'pack' ? [left] : []),
    ];
    return `phases.${phase}.reads: ${JSON.stringify(lost)} is nothing that the phase can read: neither ${known.join(' nor ')}`;
  }
  return null;
}

const asFolder = (path: string): string => `${path.replace(/\/+$/, '')}/`;

function standsFor(entry: string, { recipe: { editable } }: Task, files: readonly FolderFile[]): boolean {
  if (files.some(({ path }) => matchesGlob(path, [entry]))) return true;
  return editable.includes(entry) || matchesGlob(entry.endsWith('/') ? `${entry}**` : entry, editable);
}

function utf8Of(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AssayError('TASK_INVALID', `${path}:1:1: the file is not UTF-8`);
  }
}

function referenced(spec: Task): string[] {
  const specialists = spec.specialists.map((role) => `specialists/${role}.md`);
  return [
    ...specialists,
    ...(spec.data === undefined ? [] : [spec.data.prepare]),
    ...(spec.requirements === undefined ? [] : [spec.requirements]),
  ];
}

/** The files below recipe.root, by their path inside it. */
export function recipeFiles<F extends { path: string }>(spec: Task, files: readonly F[]): F[] {
  const root = `${spec.recipe.root.replace(/\/$/, '')}/`;
  return files.flatMap((file) =>
    file.path.startsWith(root) ? [{ ...file, path: file.path.slice(root.length) }] : [],
  );
}

/** Returns true when a path is the folder of a task. */
export async function isTaskFolder(folder: string): Promise<boolean> {
  return stat(join(folder, 'task.yaml')).then(
    (found) => found.isFile(),
    () => false,
  );
}
