// For `node --import`: writes the address of every module that is loaded into the file that LOADED_MODULES names.
import { register } from 'node:module';

const hooks = `
import { appendFileSync } from 'node:fs';
export function load(url, context, next) {
  appendFileSync(process.env.LOADED_MODULES, url + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
