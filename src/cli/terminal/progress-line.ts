import { say } from './terminal.js';

const EVERY_MS = 2000;

/** Runs `work`, and every two seconds says on stderr what it is at, if that has changed. */
export async function withProgressLine<T>(work: (at: (what: string) => void) => Promise<T>): Promise<T> {
  let now = '';
  let said = '';
  const timer = setInterval(() => {
    if (now === said) return;
    said = now;
    say(now);
  }, EVERY_MS);
  try {
    return await work((what) => {
      now = what;
    });
  } finally {
    clearInterval(timer);
  }
}
