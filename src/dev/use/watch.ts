import { access } from 'node:fs/promises';
import { messageOf } from '../../domain/errors.js';
import { abortable } from '../process/abortable.js';
import { startLogRotation, type LogRotation } from '../process/log-rotation.js';
import { livingUsers, OpenRecord, runs, type Entry, type ServerKind } from '../record.js';
import { SERVER_KINDS } from '../server-kinds.js';
import { claim } from './claim.js';
import { hold, isListed, type ServerUse } from './server-use.js';

const LOOK_MS = 2000;
const ASK_MS = 15_000;
const RETRY_MS = 10_000;

/**
 * Looks after the servers that a command uses, every two seconds: one that has ended is started again on the same data
 * and port, a lost record is written again, and the first of the users keeps the logs bounded. Says so when a server
 * runs but does not answer. Does not keep the process alive.
 */
export class ServerWatch {
  private readonly ending = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> = Promise.resolve();
  private rotation: LogRotation | null = null;
  private retryAt = 0;
  private askAt = performance.now() + ASK_MS;
  private readonly silent = new Set<ServerKind>();
  private told = '';

  constructor(private readonly use: ServerUse) {
    this.wait();
  }

  /** Ends it, and with it a start that is in progress. */
  async stop(): Promise<void> {
    this.ending.abort(new Error('the command ends'));
    if (this.timer !== null) clearTimeout(this.timer);
    this.rotation?.stop();
    await this.looking;
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      this.looking = this.look()
        .catch((error: unknown) => this.tell(messageOf(error)))
        .finally(() => {
          if (!this.ending.signal.aborted) this.wait();
        });
    }, LOOK_MS);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const { use } = this;
    const { parts } = await OpenRecord.read(use.home.record);
    const lost: ServerKind[] = [];
    for (const [part, held] of [...use.held]) {
      const entry = parts[part];
      if (entry !== null && isListed(use, entry) && (await runs(use.home, entry)))
        this.follow(part, held, entry);
      else lost.push(part);
    }
    if (lost.length > 0) return this.regain(lost);
    await this.takeTurn(use.held.has('store') ? parts.store : parts.temporal);
    if (use.me.role !== 'run' || performance.now() < this.askAt) return;
    this.askAt = performance.now() + ASK_MS;
    for (const [part, { address }] of use.held) void this.ask(part, address);
  }

  /** Another user may have started it again. */
  private follow(part: ServerKind, held: Entry, entry: Entry): void {
    if (entry.process?.pid !== held.process?.pid)
      this.use.say(`${SERVER_KINDS[part].title} had ended and was started again by another assay command`);
    hold(this.use, part, entry);
  }

  private async regain(lost: readonly ServerKind[]): Promise<void> {
    const { use } = this;
    const { signal } = this.ending;
    // a keeper leaves it to those who need the store; without its folder there is nothing to run a server on
    if (use.me.role === 'keep' || performance.now() < this.retryAt || !(await exists(use.home.folder)))
      return;
    const ended = await this.ended(lost);
    for (const part of ended)
      this.tell(`${SERVER_KINDS[part].title} has ended: it is started again on the same data`);
    try {
      await claim(use, lost, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.retryAt = performance.now() + RETRY_MS;
      this.tell(`${messageOf(error)}; tried again every ${RETRY_MS / 1000} s`);
      return;
    }
    this.told = '';
    for (const part of ended) use.say(`${SERVER_KINDS[part].title} runs again; what waited for it continues`);
  }

  private async ended(lost: readonly ServerKind[]): Promise<ServerKind[]> {
    const { held, home } = this.use;
    const found: ServerKind[] = [];
    for (const part of lost) {
      const entry = held.get(part);
      if (entry !== undefined && !(await runs(home, entry))) found.push(part);
    }
    return found;
  }

  private async takeTurn(entry: Entry | null): Promise<void> {
    const { home, me, say } = this.use;
    const [first] = await livingUsers(home, entry);
    if (first?.id === me.id && !this.ending.signal.aborted) this.rotation ??= startLogRotation(home, say);
  }

  private async ask(part: ServerKind, address: string): Promise<void> {
    const kind = SERVER_KINDS[part];
    const { signal } = this.ending;
    const answers = await abortable(signal, kind.ask(address)).then(
      () => true,
      () => false,
    );
    const server = this.use.held.get(part)?.process;
    if (signal.aborted || server == null) return;
    if (answers && this.silent.delete(part)) this.use.say(`${kind.title} answers again`);
    if (answers || this.silent.has(part) || !(await runs(this.use.home, this.use.held.get(part) ?? null)))
      return;
    this.silent.add(part);
    this.use.say(
      `${kind.title} (process ${server.pid}) does not answer, and campaigns wait for it; if it hangs, \`kill -9 ${server.pid}\` has it started again without a loss`,
    );
  }

  /** Says what was not the last thing said. */
  private tell(line: string): void {
    if (line !== this.told) this.use.say(line);
    this.told = line;
  }
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}
