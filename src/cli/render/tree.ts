import { markedName } from '../../domain/task/marked-name.js';
import type { Measure } from '../../domain/task/task.js';
import { growTree, type TreeModel, type TreeNode, type TreeTrial } from '../../analysis/read-models/tree.js';
import { score } from './numbers.js';
import { onStdout, statusColour, type Paint } from './paint.js';
import { cut, oneLine } from './text.js';
import { deltaText } from './trials.js';

interface TreeOptions {
  /** True: every trial has its line; false: what was not built on is counted below its parent. */
  all: boolean;
  paint?: Paint;
  /** Characters of a hypothesis that are shown. */
  width?: number;
}

/**
 * The trials of a campaign below their parents, a line each. The way to the newest adopted trial goes straight down; what
 * else was proposed branches off it.
 */
export function renderTree(
  { trials, metric }: Pick<TreeModel, 'trials' | 'metric'>,
  { all, paint = onStdout, width = 72 }: TreeOptions,
): string {
  const root = growTree(trials);
  if (root === null) return 'no trials';
  const lines: string[] = [];
  const newest = newestAdopted(trials);
  // a stack of its own: a search is deeper than calls may be
  const open = [{ node: root, head: '', below: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, head, below } = next;
    lines.push(head + nodeText(node, metric, { paint, width }));
    const shown = node.children.filter((child) => all || isBuiltOn(child));
    const folded = all ? [] : node.children.filter((child) => !isBuiltOn(child));
    if (folded.length > 0)
      lines.push(`${below}${shown.length > 0 ? '│' : ' '}  ${paint('dim', foldedText(folded))}`);
    const straight = straightOn(shown, newest);
    if (straight !== undefined) open.push({ node: straight, head: below, below });
    const branches = shown.filter((child) => child !== straight);
    for (const [at, child] of [...branches.entries()].reverse()) {
      const isLast = straight === undefined && at === branches.length - 1;
      open.push({
        node: child,
        head: `${below}${isLast ? '└─ ' : '├─ '}`,
        below: `${below}${isLast ? '   ' : '│  '}`,
      });
    }
  }
  return lines.join('\n');
}

/** The newest adopted trial at or below each trial, by label; none where there is none. */
function newestAdopted(trials: readonly TreeTrial[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  // children have higher numbers than their parents
  for (const { trial, number, parent, adopted } of [...trials].reverse()) {
    const found = newest.get(trial) ?? (adopted ? number : undefined);
    if (found === undefined) continue;
    newest.set(trial, found);
    if (parent !== null) newest.set(parent, Math.max(found, newest.get(parent) ?? 0));
  }
  return newest;
}

/** The child below which the newest adopted trial lies. */
function straightOn(
  children: readonly TreeNode[],
  newest: ReadonlyMap<string, number>,
): TreeNode | undefined {
  const rank = ({ trial }: TreeNode): number => newest.get(trial) ?? 0;
  const [first] = [...children].sort((a, b) => rank(b) - rank(a));
  return first !== undefined && rank(first) > 0 ? first : undefined;
}

/** Says whether a trial was adopted, or something was proposed on top of it. */
const isBuiltOn = ({ adopted, children }: TreeNode): boolean => adopted || children.length > 0;

function nodeText(
  node: TreeNode,
  metric: Measure,
  { paint, width }: { paint: Paint; width: number },
): string {
  const { trial, role, status, stage, delta, hypothesis } = node;
  return [
    trial,
    node.parent === null ? `start, ${markedName(metric)}` : role,
    node.parent === null && status !== null ? '' : paint(statusColour(status), status ?? stage),
    node.score === null ? '' : score(node.score),
    delta === null ? '' : `(${deltaText(delta, metric, paint)})`,
    node.parent === null ? '' : cut(oneLine(hypothesis), width),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** `+ 12 not built on: 9 discard, 3 crash`. */
function foldedText(nodes: readonly TreeNode[]): string {
  const counts = new Map<string, number>();
  for (const { status } of nodes) counts.set(status ?? 'running', (counts.get(status ?? 'running') ?? 0) + 1);
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([status, count]) => `${count} ${status}`);
  return `+ ${nodes.length} not built on: ${parts.join(', ')}`;
}
