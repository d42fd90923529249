import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { homeAt } from '../../src/dev/paths.js';
import { markerFor } from '../../src/dev/process/server-process.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ASSAY = join(ROOT, 'bin/assay.js');

const entry = z.object({ process: z.object({ pid: z.number().int().positive() }).nullable() }).nullable();
const record = z.object({ temporal: entry, store: entry });

/** A home folder, and the remains of commands that ran on it. */
export class TestHome {
  private constructor(
    readonly folder: string,
    readonly tmp: string,
  ) {}

  static async open(): Promise<TestHome> {
    const folder = await mkdtemp(join(tmpdir(), 'assay-ends-'));
    return new TestHome(folder, await mkdtemp(join(tmpdir(), 'assay-ends-tmp-')));
  }

  /** Runs a command in its own process group, as a terminal would start it. */
  run(args: readonly string[], env: Record<string, string> = {}): Running {
    return new Running([process.execPath, ASSAY, ...args], this.env(env));
  }

  /** Runs a command as a person types it: npm and npx are between the terminal and the command. */
  type(argv: readonly string[], env: Record<string, string> = {}): Running {
    return new Running(argv, this.env(env));
  }

  private env(more: Record<string, string>): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ASSAY_HOME: this.folder,
      TMPDIR: this.tmp,
      ANTHROPIC_API_KEY: '',
      NO_COLOR: '1',
      // the servers of the test run are not those of this home
      TEMPORAL_ADDRESS: '',
      ASSAY_MONGODB_URL: '',
      ...more,
    };
  }

  /** Pids of the servers that the record calls running. */
  async servers(): Promise<{ temporal: number | null; store: number | null }> {
    const text = await readFile(homeAt(this.folder).record, 'utf8').catch(() => null);
    const parsed = text === null ? { temporal: null, store: null } : record.parse(JSON.parse(text));
    const { temporal, store } = parsed;
    return { temporal: temporal?.process?.pid ?? null, store: store?.process?.pid ?? null };
  }

  /** Processes that belong to this home: servers by their mark, programs of recipes by where they work. */
  processes(): { pid: number; what: string }[] {
    const marks = ['temporal', 'store'].map((part) => markerFor(homeAt(this.folder).folder, part));
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid) return [];
      const text = readOrNull(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
      const state = readOrNull(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
      if (
        text === null ||
        text === '' ||
        state === null ||
        / [ZX] /.test(state.slice(state.lastIndexOf(')')))
      )
        return [];
      const run = /(?:^|\0)ASSAY_RUN=([^\0]*)/.exec(text)?.[1];
      const cwd = readOrNull(() => readlinkSync(`/proc/${pid}/cwd`)) ?? '';
      if (run !== undefined && (marks.includes(run) || cwd.startsWith(this.folder)))
        return [{ pid, what: run }];
      return text.includes(`ASSAY_HOME=${this.folder}\0`) ? [{ pid, what: 'command' }] : [];
    });
  }

  /** Programs of recipes that run now. */
  runs(): { pid: number; what: string }[] {
    return this.processes().filter(({ what }) => /^\d+-\d+\//.test(what));
  }

  /** Everything that a command must not leave behind. */
  async left(): Promise<unknown> {
    const { lock } = homeAt(this.folder);
    const files = await readdir(this.folder).catch(() => []);
    const work = await readdir(join(this.folder, 'work')).catch(() => []);
    return {
      processes: this.processes(),
      servers: await this.servers(),
      locks: files.filter((name) => join(this.folder, name).startsWith(lock)),
      drafts: files.filter((name) => name.startsWith('servers.json.')),
      work,
      // tsx keeps compiled sources there, for every later command
      tmp: (await readdir(this.tmp)).filter((name) => !name.startsWith('tsx-')),
    };
  }

  async remove(): Promise<void> {
    for (const { pid } of this.processes()) killQuietly(pid);
    await rm(this.folder, { recursive: true, force: true });
    await rm(this.tmp, { recursive: true, force: true });
  }
}

export const NOTHING = {
  processes: [],
  servers: { temporal: null, store: null },
  locks: [],
  drafts: [],
  work: [],
  tmp: [],
};

/** A command that runs. */
export class Running {
  readonly #child: ChildProcess;
  /** Ending: `code` null when a signal ended it. */
  readonly ended: Promise<{ code: number | null; signal: string | null; atMs: number }>;
  said = '';
  printed = '';

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv) {
    const [file = '', ...args] = argv;
    this.#child = spawn(file, args, { env, cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => resolve({ code, signal, atMs: performance.now() })),
    );
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the command did not start');
    return pid;
  }

  /** To the process alone. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** To the whole group, as a terminal does. */
  press(name: NodeJS.Signals = 'SIGINT'): void {
    process.kill(-this.pid, name);
  }

  /** Closes its terminal: its output is refused from then on. */
  hangUp(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  async says(text: string, seconds = 90): Promise<void> {
    await until(
      `"${text}" in: ${this.said}`,
      () => this.said.includes(text) || null,
      seconds,
      () => this.said,
    );
  }
}

/** Asks again until the answer is not null. */
export async function until<T>(
  what: string,
  ask: () => T | null | Promise<T | null>,
  seconds = 90,
  context: () => string = () => '',
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== null) return answer;
    await sleep(100);
  }
  throw new Error(`not seen within ${seconds} s: ${what} ${context()}`);
}

function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}
