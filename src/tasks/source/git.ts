import { networkVariables } from '../../domain/network.js';
import { withoutPasswords } from '../../domain/text/redaction.js';
import { endedWell, runTrusted } from '../../sandbox/process/trusted-command.js';

const SECONDS = 600;

/** How git is run. */
interface GitOptions {
  cwd: string;
  signal: AbortSignal;
  /** File that its output goes to, byte for byte. */
  to?: string;
}

/** Runs git as its person would, without questions; `said` is the end of what it printed. */
export async function runGit(
  args: readonly string[],
  { cwd, signal, to }: GitOptions,
): Promise<{ ok: boolean; said: string }> {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  const env = {
    ...networkVariables(process.env),
    PATH,
    HOME,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
  };
  // a mirror may belong to another user; nothing of it is run
  const git = ['git', '-c', 'safe.directory=*', '-c', 'gc.auto=0', ...args];
  const argv =
    to === undefined ? git : ['/bin/sh', '-c', 'to=$1; shift; exec "$@" > "$to"', 'sh', to, ...git];
  const result = await runTrusted(argv, { cwd, env, timeoutS: SECONDS, signal });
  return { ok: endedWell(result), said: withoutPasswords(env, result.log).trim() };
}
