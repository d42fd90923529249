import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { repetitionSchema, type Repetition, type RepetitionInput } from './comparison.js';

const PROGRAM = fileURLToPath(new URL('./repetition-process.ts', import.meta.url));

/** Processes that share out repetitions, each running one at a time. */
export class RepetitionPool {
  private readonly processes: readonly ChildProcess[];

  /** @param jobs how many processes */
  constructor(jobs: number) {
    this.processes = Array.from({ length: jobs }, () => fork(PROGRAM));
  }

  /** Runs all of them; results are in the order of the inputs. */
  async run(inputs: readonly RepetitionInput[]): Promise<Repetition[]> {
    const results: Repetition[] = [];
    const waiting = inputs.entries();
    await Promise.all(
      this.processes.map(async (child) => {
        for (const [at, input] of waiting) results[at] = await answerOf(child, input);
      }),
    );
    return results;
  }

  stop(): void {
    for (const child of this.processes) child.kill();
  }
}

function answerOf(child: ChildProcess, input: RepetitionInput): Promise<Repetition> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a process of the simulation ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(repetitionSchema.parse(message));
    });
    child.send(input);
  });
}
