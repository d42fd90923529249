import { groupBy, type ToolCalls } from './trajectory.js';

export interface ToolUse {
  tool: string;
  calls: number;
  errors: number;
  /** Share of all calls. */
  share: number;
  byRole: { role: string; calls: number }[];
}

/** Calls of each tool, most used first. */
export function toolsUsed(calls: readonly ToolCalls[]): ToolUse[] {
  const sum = (some: readonly ToolCalls[], of: 'calls' | 'errors'): number =>
    some.reduce((total, each) => total + each[of], 0);
  const all = sum(calls, 'calls');
  return [...groupBy(calls, ({ tool }) => tool)]
    .map(([tool, own]) => ({
      tool,
      calls: sum(own, 'calls'),
      errors: sum(own, 'errors'),
      share: sum(own, 'calls') / all,
      byRole: [...groupBy(own, ({ role }) => role)]
        .map(([role, some]) => ({ role, calls: sum(some, 'calls') }))
        .sort((a, b) => b.calls - a.calls || a.role.localeCompare(b.role)),
    }))
    .sort((a, b) => b.calls - a.calls || a.tool.localeCompare(b.tool));
}
