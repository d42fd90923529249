import { join, relative } from 'node:path';
import { LANGUAGES, writeSkeleton } from '../../tasks/skeleton.js';
import { shellWord } from '../render/shell-word.js';
import { oneOf } from '../terminal/parsing.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  language: string;
  served?: boolean;
  timed?: boolean;
  profiles?: boolean;
}

export async function run(dir: string, flags: Flags): Promise<void> {
  const language = oneOf('--language', flags.language, LANGUAGES);
  const made = await writeSkeleton({
    folder: dir,
    language,
    served: flags.served === true,
    timed: flags.timed === true,
    profiles: flags.profiles === true,
  });
  const { name, folder, files, lacks } = made;
  if (flags.json === true) printJson({ schema: 'assay.new-task/1', ...made });
  else print(files.map((path) => join(relative('', folder), path)).join('\n'));
  if (lacks !== null) say(`\n${lacks}`);
  say(`\ntask ${name} is made; next: \`assay task check ${shellWord(dir)}\``);
}
