import { tellControl } from '../render/control-answer.js';
import type { CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  reason?: string;
}

export async function run(campaign: string, flags: Flags): Promise<void> {
  await tellControl(campaign, { ask: 'pause', reason: flags.reason }, flags);
}
