import { z } from 'zod';
import { taskName } from './fields.js';

/** Fields that are the same in all profiles of a task: they make it the same task. */
export const FIXED_BY_PROFILES = [
  'schema',
  'name',
  'recipe',
  'source',
  'scoring',
  'specialists',
  'profile',
  'profiles',
  'default_profile',
] as const;

/** Fields of a task.yaml that are gone once a profile of it is resolved. */
export const profileFields = {
  profiles: z
    .record(taskName, z.record(z.string(), z.unknown()))
    .optional()
    .describe(
      'other sizes of the same task by name, see "Profiles": each has the fields that differ from those outside',
    ),
  default_profile: taskName
    .optional()
    .describe('name of what stands outside `profiles`; `default` where it is left out'),
};
