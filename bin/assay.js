#!/usr/bin/env node
// Runs the build of the sources as they are now; where they have changed it is made again, and where none can be made
// the sources are compiled as they are loaded.
import { spawnSync } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS, findBuild, isInstalled } from './built.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @returns {string | null} */
function rebuild() {
  // in a process of its own: what it starts and opens ends with it
  const script = fileURLToPath(new URL('build.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const entry = status === 0 ? findBuild(root, COMMANDS) : null;
  const reason = /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? 'the sources change';
  if (entry === null)
    process.stderr.write(`assay could not be built, so every start compiles it: ${reason}\n`);
  return entry;
}

/**
 * Keeps a build that is still started from being removed as an old one.
 * @param {string} entry
 */
function markUsed(entry) {
  try {
    utimesSync(dirname(entry), new Date(), new Date());
  } catch {
    // another user's folder, or one that may only be read: it is not removed from here
  }
}

const entry = isInstalled(root) ? null : (findBuild(root, COMMANDS) ?? rebuild());
if (entry !== null) markUsed(entry);
// what shows a stack shows the lines of the sources; reading the maps costs time
if (process.argv.includes('--debug')) process.setSourceMapsEnabled(true);
if (entry === null) (await import('tsx/esm/api')).register();
await import(entry ?? new URL('../src/cli/main.ts', import.meta.url).href);
