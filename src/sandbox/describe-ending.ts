import { LIMIT_UNITS, type Ending } from './run.js';

/** Describes the ending of a run, as the end of a sentence about it. */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'exited':
      return `exited with code ${ending.code}`;
    case 'signalled':
      return `was ended by ${ending.signal}`;
    case 'cancelled':
      return 'was cancelled';
    case 'tampered':
      return `changed ${ending.what}`;
    case 'limit': {
      const used = Number(ending.used.toPrecision(6));
      return `exceeded its ${ending.limit} limit: ${used} of ${ending.allowed} ${LIMIT_UNITS[ending.limit]}`;
    }
  }
}
