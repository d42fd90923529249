import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import type { ScriptedServer } from '../model/scripted-server.js';
import { until, type World } from '../workflows/world.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));

/** A machine under load is slow, and every question starts a process. */
export const LONG = { timeout: 300_000 };

const statusSchema = z.looseObject({
  schema: z.string(),
  state: z.string(),
  reason: z.string().nullable().optional(),
  unexamined: z.string().nullable().optional(),
  stall: z.array(
    z.object({
      what: z.string(),
      id: z.string(),
      text: z.string(),
      about: z.array(z.string()),
      since: z.string().nullable(),
      remedy: z.string().nullable(),
    }),
  ),
});
export type Status = z.infer<typeof statusSchema>;

interface Told {
  status: Status;
  reason: Status['stall'][0];
}

function run(args: readonly string[], env: Record<string, string>) {
  return execa(process.execPath, [ASSAY, ...args], { reject: false, env: { NO_COLOR: '1', ...env } });
}
/** A command that was started. */
export type Running = ReturnType<typeof run>;

/** The real command in a world, its workers as processes, all of them ended by `stop`. */
export class Person {
  private readonly started: Running[] = [];

  constructor(
    private readonly world: World,
    private readonly model: ScriptedServer,
  ) {}

  private assay(args: readonly string[], env: Record<string, string> = {}): Running {
    const child = run(args, { ...this.world.env, ...env });
    this.started.push(child);
    return child;
  }

  /** Starts a worker process; what is asked afterwards shows whether it polls. */
  worker(host: string, ...args: string[]): Running {
    const env = { ASSAY_HOST: host, ANTHROPIC_BASE_URL: this.model.url, ANTHROPIC_API_KEY: 'test-key' };
    return this.assay(['worker', ...args], env);
  }

  async status(name: string, env: Record<string, string> = {}): Promise<Status> {
    const { stdout, exitCode, stderr } = await this.assay(['status', name, '--json'], env);
    if (exitCode !== 0) throw new Error(`status ended with ${exitCode ?? 'a signal'}: ${stderr}`);
    return statusSchema.parse(JSON.parse(stdout));
  }

  /** Asks the command until it gives a reason of this kind, or with this id. */
  async told(name: string, reasonOr: string): Promise<Told> {
    let last: Status | null = null;
    return until(`${name} to be told ${reasonOr}`, async () => {
      const status = await this.status(name).catch(() => null);
      last = status ?? last;
      const reason = status?.stall.find(({ what, id }) => what === reasonOr || id === reasonOr);
      return status === null || reason === undefined ? null : { status, reason };
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${JSON.stringify(last)}`);
    });
  }

  /** The first line on why nothing moves that `watch --json` prints. */
  async toldInWatch(name: string): Promise<unknown> {
    const watching = this.assay(['watch', name, '--json']);
    let printed = '';
    const line = await new Promise<string>((resolve) => {
      watching.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        const found = printed.split('\n').find((each) => each.includes('"stall"') && each.endsWith('}'));
        if (found !== undefined) resolve(found);
      });
    });
    watching.kill('SIGINT');
    await watching;
    return JSON.parse(line);
  }

  async stop(): Promise<void> {
    for (const child of this.started) child.kill('SIGKILL');
    await Promise.all(this.started);
  }
}

/** A campaign of one lane on the task `tiny`. */
export const BASE = { task: 'tiny', specialists: ['solo'], trials: 20, trainHeartbeatSeconds: 30 };
