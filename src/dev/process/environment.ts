import { isNetworkVariable } from '../../domain/network.js';

const EVERYWHERE = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME'];
/** Settings of package clients and downloads. */
const INSTALLERS = /^(pip|maven|mongoms|xdg)_/i;

/** The environment of a server: nothing secret, nothing that changes what it does. */
export function serverEnvironment(marker: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...picked(env, (name) => EVERYWHERE.includes(name)), ASSAY_RUN: marker };
}

/** The environment of pip, mvn and the downloads: no key of a model provider reaches them. */
export function installerEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return picked(env, (name) => EVERYWHERE.includes(name) || isNetworkVariable(name) || INSTALLERS.test(name));
}

function picked(env: NodeJS.ProcessEnv, wanted: (name: string) => boolean): NodeJS.ProcessEnv {
  return inUtf8(Object.fromEntries(Object.entries(env).filter(([name]) => wanted(name))));
}

/** Under a locale such as C, Java finds no file whose name is not ASCII; macOS has no such locale. */
function inUtf8(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return process.platform !== 'linux' || /utf-?8/i.test(locale) ? env : { ...env, LC_ALL: 'C.UTF-8' };
}

/**
 * Makes names of files UTF-8, whatever the locale says: Java writes question marks for letters that its locale lacks,
 * and finds no file by them.
 */
export function withUtf8Names(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const locale = env['LC_ALL'] || env['LANG'] || 'C';
  return /utf-?8/i.test(locale) || process.platform !== 'linux' ? env : { ...env, LC_ALL: 'C.UTF-8' };
}
