import { z } from 'zod';

/**
 * Nature of an edit by the syntax trees before and after it: `structural`; `constants`, where only literals differ;
 * `layout`, where only comments, doc strings and spaces do.
 */
export const EDIT_KINDS = ['structural', 'constants', 'layout'] as const;
export const editKindSchema = z.enum(EDIT_KINDS);
export type EditKind = z.infer<typeof editKindSchema>;
