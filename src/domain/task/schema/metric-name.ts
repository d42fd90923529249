import { z } from 'zod';

/** Name of a metric as people write it: `loss`, `F1`, `top-5`, `val/loss`, `mAP@0.5`. */
export const metricName = z
  .string()
  .regex(
    /^\p{L}[\p{L}\p{N}_.@%+:/-]{0,63}$/u,
    'a name of 1 to 64 characters that begins with a letter, then letters, digits and _ . @ % + : / -',
  )
  // such a key would be found in every object
  .refine(
    (name) => !(name in Object.prototype),
    'not a name that every JavaScript object has, such as toString',
  );
