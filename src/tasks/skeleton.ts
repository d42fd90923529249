import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssayError } from '../domain/errors.js';
import { explain } from '../domain/text/explain.js';
import { FOLDER_LIMITS } from '../domain/task/recipe.js';
import { taskName } from '../domain/task/schema/fields.js';
import { readFolder, writeFolder } from './folder.js';
import { fillFreshFolder, requireFresh } from './fresh-folder.js';
import { SYSTEM_PATH } from './python.js';

/** Folder of what skeletons are put together from. */
const TEMPLATES = fileURLToPath(new URL('../../task-templates', import.meta.url));

/** Languages that a skeleton's recipe can be written in. */
export const LANGUAGES = ['python', 'javascript', 'c'] as const;

/** A task folder to be made. */
export interface SkeletonRequest {
  /** Its last part becomes the task's name. */
  folder: string;
  language: (typeof LANGUAGES)[number];
  /** True for a recipe that answers as a server instead of leaving an artifact that can be read. */
  served: boolean;
}

/** A task folder that was made. */
export interface Skeleton {
  name: string;
  folder: string;
  files: string[];
  /** Something that this machine lacks for it, in words; null when it lacks nothing. */
  lacks: string | null;
}

/** Programs that a language needs beside Python, the preferred one first. */
const PROGRAMS: Readonly<Record<SkeletonRequest['language'], readonly string[]>> = {
  python: [],
  javascript: ['node'],
  c: ['cc', 'gcc', 'clang', 'tcc'],
};

/**
 * Writes a small task that runs as it is.
 * @throws AssayError USAGE for a name that no task may have, FOLDER_TAKEN for a folder that is not empty
 */
export async function writeSkeleton({ folder, language, served }: SkeletonRequest): Promise<Skeleton> {
  const place = resolve(folder);
  const name = taskName.safeParse(basename(place));
  if (!name.success)
    throw new AssayError(
      'USAGE',
      `"${basename(place)}" cannot be the name of a task: ${explain(name.error)}`,
    );
  if (served && language !== 'python')
    throw new AssayError('USAGE', '--served has a skeleton in python only; docs/tasks.md has the protocol');
  await requireFresh(place);
  const program = await programOf(language);
  const parts = ['shared', ...(served ? ['served'] : ['direct', language])];
  const files = (await Promise.all(parts.map(partFiles))).flat();
  // one part may have another's program in its own language
  const used = files.filter(({ path }) => language !== 'javascript' || path !== 'evaluator/evaluate.py');
  const named = used.map((file) => (file.path === 'task.yaml' ? withNames(file, name.data, program) : file));
  await fillFreshFolder(place, (beside) => writeFolder(beside, named));
  const lacks =
    program?.found === false
      ? `there is no ${program.command} in ${SYSTEM_PATH.join(', ')}: install one, or name another in task.yaml`
      : null;
  return { name: name.data, folder: place, files: used.map(({ path }) => path).sort(), lacks };
}

const partFiles = (part: string) => readFolder(join(TEMPLATES, part), { ...FOLDER_LIMITS, code: 'INTERNAL' });

/** A program as the commands of a task call it. */
interface Program {
  command: string;
  found: boolean;
  /** Folder that phases have to see for it; null where they see it anyway. */
  runtime: string | null;
}

async function programOf(language: SkeletonRequest['language']): Promise<Program | null> {
  const names = PROGRAMS[language];
  const [first] = names;
  if (first === undefined) return null;
  const places = names.flatMap((name) => SYSTEM_PATH.map((path) => ({ name, file: join(path, name) })));
  if (language === 'javascript') places.push({ name: process.execPath, file: process.execPath });
  for (const { name, file } of places) {
    const real = await realpath(file).catch(() => null);
    if (real === null) continue;
    if (real.startsWith('/usr/')) return { command: name, found: true, runtime: null };
    return { command: real, found: true, runtime: dirname(dirname(real)) };
  }
  return { command: first, found: false, runtime: null };
}

function withNames(
  { path, bytes }: { path: string; bytes: Uint8Array },
  name: string,
  program: Program | null,
): { path: string; bytes: Uint8Array } {
  const command = program === null ? '' : inYaml(inShell(program.command));
  const runtime =
    program?.runtime == null ? '' : `runtime: { paths: [${JSON.stringify(program.runtime)}] }\n`;
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace('name: NAME', () => `name: ${name}`)
    .replaceAll('PROGRAM', () => command)
    .replace('resources:', () => `${runtime}resources:`);
  return { path, bytes: Buffer.from(text) };
}

const inShell = (word: string): string =>
  /^[\w./+-]+$/.test(word) ? word : `"${word.replace(/["$\\`]/g, '\\$&')}"`;
const inYaml = (text: string): string => text.replaceAll("'", "''");
