import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssayError } from '../domain/errors.js';
import { explain } from '../domain/text/explain.js';
import { SCHEMA_FILE } from '../domain/task/json-schema.js';
import { FOLDER_LIMITS } from '../domain/task/recipe.js';
import { taskName } from '../domain/task/schema/fields.js';
import { librariesOf } from '../sandbox/private-root/libraries.js';
import { readFolder, writeFolder } from './folder.js';
import { fillFreshFolder, requireFresh } from './fresh-folder.js';
import { SYSTEM_PATH } from './python.js';
import { shownWith } from './python-folders.js';

/** Folder of what skeletons are put together from. */
const TEMPLATES = fileURLToPath(new URL('../../task-templates', import.meta.url));

/** The schema of task.yaml, for the editor of whoever turns a skeleton into a task. */
const TASK_SCHEMA = fileURLToPath(new URL(`../../${SCHEMA_FILE}`, import.meta.url));

/** Languages that a skeleton's recipe can be written in. */
export const LANGUAGES = ['python', 'javascript', 'c'] as const;

/** A task folder to be made. */
export interface SkeletonRequest {
  /** Its last part becomes the task's name. */
  folder: string;
  language: (typeof LANGUAGES)[number];
  /** True for a recipe that answers as a server instead of leaving an artifact that can be read. */
  served: boolean;
  /** True for a recipe that is judged by how long it trains. */
  timed?: boolean;
  /** True for a task in two sizes. */
  profiles?: boolean;
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
export async function writeSkeleton({
  folder,
  language,
  served,
  timed = false,
  profiles = false,
}: SkeletonRequest): Promise<Skeleton> {
  const place = resolve(folder);
  const name = taskName.safeParse(basename(place));
  if (!name.success)
    throw new AssayError(
      'USAGE',
      `"${basename(place)}" cannot be the name of a task: ${explain(name.error)}`,
    );
  if (served && language !== 'python')
    throw new AssayError('USAGE', '--served has a skeleton in python only; docs/tasks.md has the protocol');
  if (timed && language !== 'python') throw new AssayError('USAGE', '--timed has a skeleton in python only');
  if (timed && served) throw new AssayError('USAGE', '--timed and --served exclude each other');
  await requireFresh(place);
  const program = await programOf(language);
  const parts = ['shared', ...(served ? ['served'] : ['direct', timed ? 'timed' : language])];
  const files = (await Promise.all(parts.map(partFiles))).flat();
  // one part may have another's program in its own language
  const used = files.filter(({ path }) => language !== 'javascript' || path !== 'evaluator/evaluate.py');
  const named = used.map((file) =>
    file.path === 'task.yaml' ? withNames(file, name.data, { program, profiles }) : file,
  );
  await fillFreshFolder(place, (beside) => writeFolder(beside, named));
  const made = used.map(({ path }) => path).sort();
  return { name: name.data, folder: place, files: made, lacks: program?.lacks ?? null };
}

const partFiles = (part: string) => readFolder(join(TEMPLATES, part), { ...FOLDER_LIMITS, code: 'INTERNAL' });

/** A program as the commands of a task call it. */
interface Program {
  command: string;
  /** Paths that phases have to see for it; empty where they see it anyway. */
  paths: string[];
  /** Why it cannot be used, in words; null when it can. */
  lacks: string | null;
}

async function programOf(language: SkeletonRequest['language']): Promise<Program | null> {
  const names = PROGRAMS[language];
  const [first] = names;
  if (first === undefined) return null;
  const files = names.flatMap((name) => SYSTEM_PATH.map((path) => ({ name, file: join(path, name) })));
  if (language === 'javascript') files.push({ name: process.execPath, file: process.execPath });
  let refused: string | null = null;
  for (const { name, file } of files) {
    const real = await realpath(file).catch(() => null);
    if (real === null) continue;
    if (isSystems(real)) return { command: name, paths: [], lacks: null };
    const paths = await pathsOf(language, real, homedir());
    if (paths !== null) return { command: real, paths, lacks: null };
    refused ??= real;
  }
  const lacks =
    refused === null
      ? `there is no ${first} in ${SYSTEM_PATH.join(', ')}: install one`
      : `${refused} needs ${dirname(dirname(refused))}, and recipes could read your files in it: install one below /usr`;
  return { command: first, paths: [], lacks: `${lacks}, or name another in task.yaml` };
}

/** Returns true for what every phase sees. */
const isSystems = (path: string): boolean => /^\/(usr|lib(32|64|x32)?)\//.test(path);

/**
 * Lists what phases have to see for a program that is not the system's: Node is one file with its libraries, a
 * compiler needs its prefix. Null where they would see the home of a person by it.
 */
export async function pathsOf(
  language: SkeletonRequest['language'],
  program: string,
  home: string,
): Promise<string[] | null> {
  if (language !== 'javascript') {
    const prefix = dirname(dirname(program));
    return (await shownWith([prefix], [home])) === null ? [prefix] : null;
  }
  const libraries = (await librariesOf([program], [])).map((path) => resolve(path));
  const real = await Promise.all(libraries.map((path) => realpath(path).catch(() => path)));
  return [...new Set([program, ...libraries, ...real])].filter((path) => !isSystems(path));
}

function withNames(
  { path, bytes }: { path: string; bytes: Uint8Array },
  name: string,
  { program, profiles }: { program: Program | null; profiles: boolean },
): { path: string; bytes: Uint8Array } {
  const command = program === null ? '' : inYaml(inShell(program.command));
  const paths = program?.paths ?? [];
  const runtime = paths.length === 0 ? '' : `runtime: { paths: ${JSON.stringify(paths)} }\n`;
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace('name: NAME', () => `name: ${name}`)
    .replace('$schema=SCHEMA', () => `$schema=${TASK_SCHEMA}`)
    .replaceAll('PROGRAM', () => command)
    .replace('resources:', () => `${runtime}resources:`);
  return { path, bytes: Buffer.from(profiles ? `${text}${PROFILES}` : text) };
}

/** The end of a task.yaml in two sizes: what stands before it is the profile `full`. */
const PROFILES = `env: { DATA_SCALE: '1' }
default_profile: full
profiles:
  quick:
    env: { DATA_SCALE: '0.25' }
    calibration: { replicates: 2 }
`;

const inShell = (word: string): string =>
  /^[\w./+-]+$/.test(word) ? word : `"${word.replace(/["$\\`]/g, '\\$&')}"`;
const inYaml = (text: string): string => text.replaceAll("'", "''");
