import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { AssayError, messageOf } from '../domain/errors.js';
import { explainIssue } from '../domain/text/explain.js';
import { firstNameFault, matchesGlob } from '../domain/text/paths.js';
import { seenBy } from '../domain/task/phase-key.js';
import { taskSchema, type Task } from '../domain/task/task.js';
import { FOLDER_LIMITS } from '../domain/task/recipe.js';
import { readFolder, readRegular, type FolderFile } from './folder.js';
import { withKit } from './kit.js';

/** A task folder, read whole. */
export interface LoadedTask {
  spec: Task;
  files: FolderFile[];
}

/** Far above any task.yaml; what it may expand to by aliases is bounded by the parser. */
const SPEC_BYTES = 256 * 1024;
const LIMITS = { ...FOLDER_LIMITS, code: 'TASK_INVALID' } as const;

/**
 * Parses the text of a task.yaml.
 * @throws AssayError TASK_INVALID with path, line and column of a wrong field, unknown keys first
 */
export function parseTask(text: string, file: string): Task {
  try {
    return parsedTask(text, file);
  } catch (error) {
    if (error instanceof AssayError) throw error;
    // the parser gives up on aliases that multiply
    throw new AssayError('TASK_INVALID', `${file}:1:1: not usable as YAML: ${messageOf(error)}`);
  }
}

function parsedTask(text: string, file: string): Task {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    const message = /call stack/i.test(syntax.message) ? 'nested too deeply' : syntax.message;
    throw new AssayError('TASK_INVALID', `${file}:${line}:${col}: ${message}`);
  }
  const parsed = taskSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // a misspelt key is unknown here and missing there: the first is the one to fix
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const place = issue === undefined ? '1:1' : placeOf(document, issue, lines);
  throw new AssayError(
    'TASK_INVALID',
    `${file}:${place}: ${issue === undefined ? 'malformed' : explainIssue(issue)}`,
  );
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

/**
 * Reads and checks a task folder.
 * @throws AssayError TASK_UNKNOWN when the folder has no task.yaml, TASK_INVALID otherwise
 */
export async function loadTask(folder: string): Promise<LoadedTask> {
  const path = join(folder, 'task.yaml');
  if ((await lstat(path).catch(() => null)) === null)
    throw new AssayError('TASK_UNKNOWN', `${folder} has no task.yaml`);
  const bytes = await readRegular(path, path, { maxFileBytes: SPEC_BYTES, code: 'TASK_INVALID' });
  const spec = parseTask(utf8Of(bytes, path), path);
  const files = await withKit(spec, await readFolder(folder, LIMITS));
  const missing = referenced(spec).find((name) => !files.some((file) => file.path === name));
  if (missing !== undefined)
    throw new AssayError('TASK_INVALID', `${path}: the task names ${missing}, which is not in the folder`);
  const recipe = recipeFiles(spec, files);
  if (recipe.length === 0)
    throw new AssayError('TASK_INVALID', `${path}: the folder ${spec.recipe.root}/ has no files`);
  const wrong = firstNameFault(recipe.map((file) => file.path));
  if (wrong !== null) throw new AssayError('TASK_INVALID', `${path}: ${wrong}`);
  const lost = readsNothing(spec, recipe);
  if (lost !== null) throw new AssayError('TASK_INVALID', `${path}: ${lost}`);
  return { spec, files };
}

/**
 * The first entry of `reads` that stands for nothing, in words: a phase would run without what was meant, and its key
 * would not change with it. What agents may add need not be there yet.
 */
function readsNothing(spec: Task, recipe: readonly FolderFile[]): string | null {
  const { train, pack } = spec.phases;
  const data = spec.data === undefined ? [] : [`the training data "${asFolder(spec.data.train)}"`];
  const left = `what training leaves ("${asFolder(train.output)}")`;
  for (const phase of ['train', 'pack'] as const) {
    if ((phase === 'train' ? train : pack)?.reads.length === 0) continue;
    const named = seenBy(spec, phase).recipe ?? [];
    const lost = named.find((entry) => !standsFor(entry, spec, recipe));
    if (lost === undefined) continue;
    const known = ['a file or glob of the recipe', ...data, ...(phase === 'pack' ? [left] : [])];
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
