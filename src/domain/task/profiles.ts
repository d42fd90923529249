import { z } from 'zod';
import { AssayError } from '../errors.js';
import { FIXED_BY_PROFILES, profileFields } from './schema/profiles.js';

/** Name of what stands outside `profiles` where the task does not name it. */
export const DEFAULT_PROFILE = 'default';

/** A task.yaml for one of its profiles, not checked yet. */
export interface ResolvedProfile {
  /** Name of the profile; null in a task without profiles. */
  profile: string | null;
  /** True for what stands outside `profiles`. */
  isDefault: boolean;
  /** All profiles of the task, the default first; empty in a task without. */
  known: string[];
  /** Content of a task.yaml without profiles. */
  content: unknown;
}

const fileSchema = z.looseObject(profileFields);

/** Returns the part of a task.yaml that declares profiles, checked by itself. */
export const profilesIn = (file: unknown): ReturnType<typeof fileSchema.safeParse> =>
  fileSchema.safeParse(file);

/**
 * Resolves a profile of a task.yaml: objects are merged, lists and single values replaced, and null removes. Without a
 * name it is the default.
 * @throws AssayError PROFILE_UNKNOWN, with the names of those that exist
 */
export function resolveProfile(file: unknown, name: string | null): ResolvedProfile {
  const parsed = profilesIn(file);
  if (!parsed.success) return { profile: null, isDefault: true, known: [], content: file };
  const { profiles, default_profile: usual = DEFAULT_PROFILE, ...content } = parsed.data;
  const known = profiles === undefined ? [] : [usual, ...Object.keys(profiles)];
  if (name === null || (name === usual && known.length > 0))
    return {
      profile: known.length === 0 ? null : usual,
      isDefault: true,
      known,
      content: known.length === 0 ? content : { ...content, profile: usual },
    };
  const part = profiles !== undefined && Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (part === undefined) throw unknownProfile(String(content['name']), name, known);
  return { profile: name, isDefault: false, known, content: merged({ ...content, profile: name }, part) };
}

/** The error of a profile that a task does not have. */
export function unknownProfile(task: string, name: string, known: readonly string[]): AssayError {
  const there = known.length === 0 ? 'it has no profiles' : `it has ${known.join(', ')}`;
  return new AssayError('PROFILE_UNKNOWN', `task "${task}" has no profile "${name}": ${there}`);
}

/** Reference of a task in one of its profiles, as `assay start --task` takes it. */
export const referenceOf = (task: string, profile: string | null): string =>
  profile === null ? task : `${task}@${profile}`;

/** Splits a reference into the name of a task and its profile. */
export function splitReference(reference: string): { task: string; profile: string | null } {
  const at = reference.indexOf('@');
  if (at === -1) return { task: reference, profile: null };
  return { task: reference.slice(0, at), profile: reference.slice(at + 1) };
}

/** The first field of a profile that none may change; null when there is none. */
export function fixedField(part: Readonly<Record<string, unknown>>): string | null {
  return FIXED_BY_PROFILES.find((field) => Object.hasOwn(part, field)) ?? null;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(base: unknown, part: unknown): unknown {
  if (!isMap(part)) return part;
  const own = isMap(base) ? base : {};
  const entries = new Map(Object.entries(own));
  for (const [key, value] of Object.entries(part)) {
    if (value === null) entries.delete(key);
    else entries.set(key, merged(own[key], value));
  }
  return Object.fromEntries(entries);
}
