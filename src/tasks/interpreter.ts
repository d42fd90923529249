import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import { endedWell, runTrusted } from '../sandbox/process/trusted-command.js';

const descriptionSchema = z.object({
  executable: z.string().min(1),
  /** Executable that creates environments: that of the base. */
  baseExecutable: z.string().min(1),
  /** Version, as in `3.11.7`. */
  version: z.string(),
  /** With compiler and date of the build. */
  build: z.string(),
  prefix: z.string(),
  basePrefix: z.string(),
  /** Those of files that depend on the platform. */
  execPrefixes: z.array(z.string()),
  /** Existing entries of sys.path, in their order. */
  paths: z.array(z.string()),
  /** Files and folders that import hooks of editable installs lead to. */
  hooked: z.array(z.string()),
  /** Projects that are installed editable. */
  projects: z.array(z.string()),
  /** Folder of the user's packages; null where none are used. */
  userBase: z.string().nullable(),
  /** Names and versions of the installed distributions. */
  packages: z.array(z.string()),
  /** Folders of the shared libraries that it has loaded, where the system tells. */
  libraries: z.array(z.string()),
  /** Targets of links in what it imports that lead outside. */
  linked: z.array(z.string()),
  /** Links among what it imports that lead nowhere, the first few. */
  broken: z.array(z.string()),
});
/** Description that an interpreter gives of itself. */
export type Interpreter = z.infer<typeof descriptionSchema>;

/** More links than these are an environment that lies elsewhere. */
const MOST_LINKS = 200;

const MARK = 'assay-interpreter ';
const SECONDS = 60;

/** Python code that prints the description; nothing of the current folder is imported. */
const DESCRIBE = `
import sys
sys.path[:] = [entry for entry in sys.path if entry]
if sys.version_info < (3, 10): sys.exit("it is Python %d.%d, and 3.10 or later is needed" % sys.version_info[:2])
import json, os, site, urllib.parse
def existing(entries):
    whole = dict.fromkeys(os.path.abspath(entry) for entry in entries if isinstance(entry, str))
    return [entry for entry in whole if os.path.exists(entry)]
paths = existing(sys.path)
hooked = []
for name, module in list(sys.modules.items()):
    if not name.startswith("__editable__"): continue
    places = list(getattr(module, "MAPPING", {}).values())
    for more in getattr(module, "NAMESPACES", {}).values(): places += more
    for place in places: hooked += [place, place + ".py"]
packages, projects, broken, linked = [], [], [], []
own = tuple(os.path.join(os.path.realpath(each), "") for each in ("/usr", sys.prefix, sys.base_prefix, *paths))
def look(folder, deeper):
    try: entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError: return
    for entry in entries:
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if not os.path.exists(real): broken.append(entry.path)
            elif not real.startswith(own):
                linked.extend((os.path.abspath(os.path.join(folder, os.readlink(entry.path))), real))
        if deeper and entry.is_dir(): look(entry.path, False)
for path in paths:
    if not os.path.isdir(path): continue
    look(path, True)
    for name in sorted(os.listdir(path)):
        if not name.endswith((".dist-info", ".egg-info")): continue
        packages.append(name)
        try:
            with open(os.path.join(path, name, "direct_url.json")) as file: origin = json.load(file)
            url = urllib.parse.urlparse(origin["url"])
            if origin["dir_info"]["editable"] and url.scheme == "file":
                projects.append(urllib.parse.unquote(url.path))
        except (OSError, ValueError, KeyError, TypeError): pass
libraries = []
try:
    with open("/proc/self/maps") as maps:
        for fields in (line.rstrip().split(None, 5) for line in maps):
            if len(fields) == 6 and ".so" in fields[5]: libraries.append(os.path.dirname(fields[5]))
except OSError: pass
user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
print("\\n${MARK}" + json.dumps({
    "executable": sys.executable or "", "baseExecutable": getattr(sys, "_base_executable", sys.executable) or "",
    "version": "%d.%d.%d" % sys.version_info[:3], "build": sys.version, "prefix": sys.prefix,
    "basePrefix": sys.base_prefix,
    "execPrefixes": [sys.exec_prefix, sys.base_exec_prefix], "paths": paths, "hooked": existing(hooked),
    "projects": projects, "userBase": site.getuserbase() if user in paths else None, "packages": packages, "broken": broken[:3], "linked": linked[:${2 * MOST_LINKS}],
    "libraries": existing(libraries)}))
`;

/** Describes the interpreter that a shell finds as `python`. */
export const DESCRIBE_PYTHON = `python -c '${DESCRIBE}'`;

/** The description among what such a command has printed; null where there is none. */
export function describedIn(log: string): Interpreter | null {
  const line = log.split('\n').findLast((each) => each.startsWith(MARK));
  if (line === undefined) return null;
  const parsed = descriptionSchema.safeParse(JSON.parse(line.slice(MARK.length)));
  return parsed.success ? parsed.data : null;
}

/**
 * Asks an interpreter what it is; for people, `where` says in which environment, and `remedy` what to do.
 * @throws AssayError PYTHON_UNAVAILABLE when it does not run or is too old
 */
export async function describe(
  python: string,
  of: { cwd: string; env: Record<string, string>; signal: AbortSignal; where: string; remedy?: string },
): Promise<Interpreter> {
  const result = await runTrusted([python, '-c', DESCRIBE], { ...of, timeoutS: SECONDS });
  const found = endedWell(result) ? describedIn(result.log) : null;
  if (found !== null) return found;
  const said = result.log.trim().slice(-300) || 'no answer';
  const { where, remedy } = of;
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `${python} cannot be used ${where}: ${said}`,
    remedy === undefined ? {} : { remedy },
  );
}

/** A digest that differs between interpreters, and between two states of the packages of one. */
export function identityOf({ libraries: _libraries, linked: _linked, ...own }: Interpreter): string {
  return sha256(JSON.stringify(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/**
 * An interpreter with its packages, in words that hosts share on which the same are installed, in whatever folder:
 * `Python 3.12.1 with 41 packages (0f3a6c1e)`.
 */
export function librariesText({ version, build, packages }: Interpreter): string {
  const installed = [...new Set(packages)].sort();
  const digest = sha256(JSON.stringify([build, installed])).slice(0, 8);
  return `Python ${version} with ${installed.length} packages (${digest})`;
}

/** An interpreter in words: `/venv/bin/python (Python 3.11.7, virtual environment of /usr)`. */
export function nameOf({ executable, version, prefix, basePrefix }: Interpreter): string {
  const kind = prefix === basePrefix ? `of ${prefix}` : `virtual environment of ${basePrefix}`;
  return `${executable} (Python ${version}, ${kind})`;
}
