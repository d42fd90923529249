import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';

/** A whole number from a flag. @throws AssayError USAGE */
export function wholeNumber(flag: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new AssayError('USAGE', `${flag} takes a whole number from ${min} to ${max}, not "${text}"`);
}

/** Any finite number from a flag. @throws AssayError USAGE */
export function anyNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new AssayError('USAGE', `${flag} takes a number, not "${text}"`);
}

/** One of a few words from a flag. @throws AssayError USAGE */
export function oneOf<const Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const parsed = z.enum(words).safeParse(text);
  if (parsed.success) return parsed.data;
  throw new AssayError('USAGE', `${flag} takes one of ${words.join(', ')}, not "${text}"`);
}
