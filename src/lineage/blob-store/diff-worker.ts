import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { AssayError, messageOf } from '../../domain/errors.js';
import { editKindSchema, type EditKind } from '../../domain/trial/edit-kind.js';
import type { Named } from '../../domain/text/diff.js';

const answerSchema = z.union([
  z.object({ id: z.number(), diff: z.string(), changes: z.string(), edit: editKindSchema.nullable() }),
  z.object({ id: z.number(), fault: z.string() }),
]);
type Answer = z.infer<typeof answerSchema>;

/** Unified diff between two trees, and its changed lines, cut to a few hundred characters. */
export interface TreeDiff {
  diff: string;
  changes: string;
  /** Null where a file of no known language differs. */
  edit: EditKind | null;
}

interface Waiting {
  resolve(found: TreeDiff): void;
  reject(error: AssayError): void;
}

/** Compares trees in a thread of its own: a large comparison takes a second, in which the event loop must not stand. */
class DiffWorker {
  readonly #thread = new Worker(new URL('./diff-thread.js', import.meta.url), {
    name: 'diff',
    // what the main thread was started with, a debugger or a compiler, is not for this one
    execArgv: [],
  });
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  /** `onEnd` is called when the thread has ended, which it does by itself only by a bug. */
  constructor(onEnd: () => void) {
    this.#thread.unref();
    this.#thread.on('message', (answer: unknown) => this.#answered(answerSchema.parse(answer)));
    this.#thread.on('error', (error) => this.#fail(error));
    this.#thread.on('exit', (code) => {
      onEnd();
      this.#fail(`it ended with code ${code}`);
    });
  }

  compare(before: readonly Named[], after: readonly Named[]): Promise<TreeDiff> {
    const id = (this.#count += 1);
    // the process stays for what is waited for, and only for that
    this.#thread.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage({ id, before, after });
    });
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('fault' in answer) waiting?.reject(failed(answer.fault));
    else waiting?.resolve({ diff: answer.diff, changes: answer.changes, edit: answer.edit });
    if (this.#waiting.size === 0) this.#thread.unref();
  }

  #fail(cause: unknown): void {
    for (const waiting of this.#waiting.values()) waiting.reject(failed(cause));
    this.#waiting.clear();
  }
}

const failed = (cause: unknown): AssayError =>
  new AssayError('INTERNAL', `two trees could not be compared: ${messageOf(cause)}`);

let worker: DiffWorker | null = null;

/**
 * Compares two trees off the event loop, in bounded time.
 * @throws AssayError INTERNAL when the thread that does it fails
 */
export function diffOffLoop(before: readonly Named[], after: readonly Named[]): Promise<TreeDiff> {
  worker ??= new DiffWorker(() => (worker = null));
  return worker.compare(before, after);
}
