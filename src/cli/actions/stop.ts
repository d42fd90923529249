import { tellControl } from '../render/control-answer.js';
import type { CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  now?: boolean;
  drain?: boolean;
}

export async function run(campaign: string, flags: Flags): Promise<void> {
  await tellControl(campaign, { ask: 'stop', mode: flags.now === true ? 'now' : 'drain' }, flags);
}
