import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { parsedJson, replaceFile, textOf } from './files.js';

const processShape = z.object({ pid: z.number().int().positive(), start: z.string() });

const entryShape = z.object({
  /** The server; null when it was stopped. */
  process: processShape.nullable(),
  /** The command that stops it at its end. */
  owner: processShape.nullable(),
  /** True when its owner only keeps it for reading commands, and gives it up to any other. */
  kept: z.boolean().optional(),
  /** Kept after a stop, so that addresses stay valid. */
  ports: z.record(z.string(), z.number().int()),
  /** host:port of Temporal, or the URL of the store. */
  address: z.string(),
  how: z.string(),
  version: z.string(),
});

const recordShape = z.object({ temporal: entryShape.nullable(), store: entryShape.nullable() });

/** The servers that a clone runs or ran, by part. */
export type ServerRecord = z.infer<typeof recordShape>;
export type Entry = z.infer<typeof entryShape>;
export type ServerKind = keyof ServerRecord;

/** Writes down, as this process exits, that one of its servers does not run. */
export function noteGoneNow(file: string, part: ServerKind, pid: number): void {
  const fresh = `${file}.${randomUUID()}`;
  try {
    const parsed = recordShape.safeParse(parsedJson(readFileSync(file, 'utf8')));
    const entry = parsed.data?.[part];
    if (parsed.data === undefined || entry?.process?.pid !== pid) return;
    parsed.data[part] = { ...entry, process: null, owner: null };
    writeFileSync(fresh, `${JSON.stringify(parsed.data, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, file);
  } catch {
    // a reader of the record looks at who is alive
    rmSync(fresh, { force: true });
  }
}

/** The record of a home folder, while its lock is held. */
export class OpenRecord {
  private saved: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    readonly parts: ServerRecord,
  ) {}

  /** Reads the record; empty when there is no such file or it cannot be read: servers are then started. */
  static async read(file: string): Promise<OpenRecord> {
    const parsed = recordShape.safeParse(parsedJson((await textOf(file)) ?? ''));
    return new OpenRecord(file, parsed.success ? parsed.data : { temporal: null, store: null });
  }

  /** Writes it down as one step, after the writes before it: two parts start at the same time. */
  save(): Promise<void> {
    this.saved = this.saved.then(() => replaceFile(this.file, `${JSON.stringify(this.parts, null, 2)}\n`));
    return this.saved;
  }
}
