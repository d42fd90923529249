import { z } from 'zod';
import { relative } from './fields.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');

const oneSource = z.strictObject({
  repository: z
    .string()
    .regex(
      /^https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[A-Za-z0-9._-]+){2,}$/,
      'an https address such as https://github.com/OWNER/NAME',
    )
    .describe('address of a git repository, `https://HOST/OWNER/NAME`'),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'the 40 hexadecimal digits of a commit')
    .describe('the pin: all digits of a commit'),
  files: z
    .array(
      z.strictObject({
        from: relative.describe('path in the repository'),
        to: relative.describe('path in the task folder, where no file of the folder lies'),
        sha256: digest.describe('SHA-256 of the file as the repository has it'),
        unpack: z
          .strictObject({
            as: z
              .literal('lzma-b85')
              .describe('a Python program that unpacks itself: LZMA2 in base 85, see "Sizes"'),
            sha256: digest.describe('SHA-256 of the text that it holds'),
          })
          .optional()
          .describe(
            'the repository has it packed: what is packed is taken out, without running it, and stands in the place of the file',
          ),
      }),
    )
    .min(1)
    .max(200)
    .describe('files that are brought'),
  patch: relative
    .optional()
    .describe(
      'a unified diff in the task folder, with paths as in `to`, applied to the files without any fuzz',
    ),
  patched: z
    .record(z.string(), digest)
    .optional()
    .describe('SHA-256 of each file that the patch changes or makes, after it'),
});
/** Files of a repository at a pin, with a recorded change. */
export type Source = z.infer<typeof oneSource>;

export const sourceSchema = z
  .union([oneSource, z.array(oneSource).min(1).max(16)])
  .describe('files of other repositories, brought by pin, see "Upstream sources"; one or a list');

/** The sources of a task as a list. */
export const sourcesOf = ({
  source,
}: {
  source?: Source | readonly Source[] | undefined;
}): readonly Source[] => (source === undefined ? [] : [source].flat());

/** Names what cannot be right in sources, whatever the repositories hold. */
export function sourceIssues(sources: readonly Source[]): { at: number; path: string[]; message: string }[] {
  const seen = new Set<string>();
  return sources.flatMap(({ files, patch, patched }, at) => [
    ...files.flatMap(({ to }, index) => {
      const taken = seen.has(to) || to === 'task.yaml';
      seen.add(to);
      const path = ['files', String(index), 'to'];
      return taken ? [{ at, path, message: `${to} is there already` }] : [];
    }),
    ...((patch === undefined) === (patched === undefined)
      ? []
      : [
          {
            at,
            path: [patch === undefined ? 'patched' : 'patch'],
            message: '`patch` and `patched` belong together',
          },
        ]),
  ]);
}
