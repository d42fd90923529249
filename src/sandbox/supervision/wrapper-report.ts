import { z } from 'zod';
import { AssayError, messageOf } from '../../domain/errors.js';

const reportSchema = z.object({ 'child-pid': z.number().int(), 'exit-code': z.number().int() }).partial();

/** Report of a wrapper about its run. */
export type WrapperReport = z.infer<typeof reportSchema>;

/** A report is a few dozen bytes; a longer line is not the wrapper's. */
const LONGEST_LINE = 4096;
const LINE_END = 10;

/** Reads the JSON lines that a wrapper writes on descriptor 3. */
export class WrapperReports {
  readonly #line = Buffer.alloc(LONGEST_LINE);
  #have = 0;

  /**
   * The reports that a chunk completes.
   * @throws AssayError HOST_FAULT for what no wrapper writes
   */
  read(chunk: Buffer): WrapperReport[] {
    const reports: WrapperReport[] = [];
    for (let at = 0; at < chunk.length;) {
      const found = chunk.indexOf(LINE_END, at);
      const end = found === -1 ? chunk.length : found;
      if (this.#have + end - at > LONGEST_LINE)
        throw new AssayError('HOST_FAULT', 'the wrapper of a run reported an endless line');
      this.#have += chunk.copy(this.#line, this.#have, at, end);
      at = end + 1;
      if (found === -1) break;
      reports.push(reportOf(this.#line.toString('utf8', 0, this.#have)));
      this.#have = 0;
    }
    return reports;
  }
}

function reportOf(line: string): WrapperReport {
  try {
    return reportSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new AssayError('HOST_FAULT', `the wrapper of a run reported no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
