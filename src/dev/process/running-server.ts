import { isAlive } from './identity.js';
import { end, kill, type ServerProcess } from './server-process.js';

/** A server of ours: it can be stopped, crashed and started again on the same data and ports. */
export class RunningServer {
  constructor(
    private current: ServerProcess,
    private readonly again: () => Promise<ServerProcess>,
  ) {}

  /** Id of the process that serves now; after a restart it is another. */
  get pid(): number {
    return this.current.pid;
  }

  get process(): ServerProcess {
    return this.current;
  }

  /** Ends it cleanly. */
  async stop(): Promise<void> {
    await end(this.current);
  }

  /** Ends it at once, as a crash would: SIGKILL to its process group. */
  kill(): Promise<void> {
    return kill(this.current);
  }

  /** Starts it again on the same data and ports, and waits until it answers; one that still runs is ended first. */
  async restart(): Promise<void> {
    await end(this.current);
    this.current = await this.again();
  }

  isAlive(): Promise<boolean> {
    return isAlive(this.current);
  }
}
