import { z } from 'zod';
import { messageOf } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import {
  EVALUATION,
  failedSchema,
  LONGEST_TEXT,
  measuredSchema,
  type Evaluation,
} from '../../domain/trial/evaluation.js';

/** Bytes of an evaluator's result that are read. */
export const LARGEST_RESULT = 1024 * 1024;
/** Characters of what is said of a malformed one: it may be wrong in thousands of places. */
const LONGEST_FAULT = 1000;
/** Ignored keys that are named. */
const MOST_NAMED = 10;

/** An evaluation with what was ignored or cut in it, a line each, or what is wrong with it, in words. */
export type ReadEvaluation = { evaluation: Evaluation; notes: string[] } | { fault: string };

/** Reads what an evaluator wrote on its result descriptor. */
export function readEvaluation(text: string): ReadEvaluation {
  if (text.trim() === '') return { fault: 'the evaluator wrote no result' };
  if (Buffer.byteLength(text) > LARGEST_RESULT)
    return { fault: `the evaluator's result is longer than ${LARGEST_RESULT} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return faulty(`the evaluator's result is not one JSON object: ${notJson(text, error)}`);
  }
  const answer = z.record(z.string(), z.unknown()).safeParse(value);
  if (!answer.success) return { fault: "the evaluator's result is JSON, but not one object" };
  const schema = 'failure' in answer.data ? failedSchema : measuredSchema;
  const parsed = schema.safeParse(answer.data);
  if (!parsed.success) return faulty(`the evaluator's result is not ${EVALUATION}: ${explain(parsed.error)}`);
  const { evaluation, notes } = shortened(parsed.data);
  return { evaluation, notes: [...ignoredIn(answer.data, Object.keys(schema.shape)), ...notes] };
}

const faulty = (text: string): { fault: string } => ({ fault: text.slice(0, LONGEST_FAULT) });

function notJson(text: string, error: unknown): string {
  const number = /[:[,]\s*(NaN|-?Infinity)\b/.exec(text)?.[1];
  if (number === undefined) return messageOf(error);
  return `${number} is no number of JSON; where the recipe is to blame for it, answer with a failure of kind "invalid"`;
}

function ignoredIn(answer: object, known: readonly string[]): string[] {
  const extra = Object.keys(answer).filter((key) => !known.includes(key));
  if (extra.length === 0) return [];
  const named = extra.slice(0, MOST_NAMED).map((key) => JSON.stringify(key.slice(0, 64)));
  const more = extra.length > named.length ? ` and ${extra.length - named.length} more` : '';
  return [
    `the evaluator's result has keys that ${EVALUATION} does not: ${named.join(', ')}${more} (ignored)`,
  ];
}

/** Cuts what is too long for agents to read. */
function shortened(whole: Evaluation): { evaluation: Evaluation; notes: string[] } {
  const notes: string[] = [];
  const cut = (name: keyof typeof LONGEST_TEXT, text: string): string => {
    const most = LONGEST_TEXT[name];
    if (text.length <= most) return text;
    notes.push(`the evaluator's ${name} has ${text.length} characters, and was cut to ${most}`);
    // half of a pair is no character
    return text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
  };
  const feedback = cut('feedback', whole.feedback);
  if (!('failure' in whole)) return { evaluation: { ...whole, feedback }, notes };
  const { kind, reason } = whole.failure;
  return { evaluation: { ...whole, feedback, failure: { kind, reason: cut('reason', reason) } }, notes };
}
