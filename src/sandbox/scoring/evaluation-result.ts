import { z } from 'zod';
import { messageOf } from '../../domain/errors.js';
import { evaluationSchema, type Evaluation } from '../../domain/trial/evaluation.js';

/** Bytes of an evaluator's result that are read. */
export const LARGEST_RESULT = 64 * 1024;
/** Characters of what is said of a malformed one: it may be wrong in thousands of places. */
const LONGEST_FAULT = 1000;

/** The evaluation that an evaluator wrote, or what is wrong with it, in words. */
export function readEvaluation(text: string): { evaluation: Evaluation } | { fault: string } {
  if (text.trim() === '') return { fault: 'the evaluator wrote no result' };
  if (text.length > LARGEST_RESULT)
    return { fault: `the evaluator's result is longer than ${LARGEST_RESULT} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return faulty(`the evaluator's result is not one JSON object: ${messageOf(error)}`);
  }
  const parsed = evaluationSchema.safeParse(value);
  if (parsed.success) return { evaluation: parsed.data };
  return faulty(`the evaluator's result is not assay.evaluation/1: ${z.prettifyError(parsed.error)}`);
}

const faulty = (text: string): { fault: string } => ({ fault: text.slice(0, LONGEST_FAULT) });
