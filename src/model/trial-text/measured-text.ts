import { hostText, isSlow } from '../../domain/trial/host-use.js';
import type { PhaseTime, SizeParts } from '../../domain/trial/measured-parts.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { amount, clip } from '../answers.js';

/** `bytes 22348 of 24000: code 10079, artifact 12269; 1652 free`. */
export function sizeText({ code, artifact, total, limit }: SizeParts): string {
  const parts = [
    ...(code === null ? [] : [`code ${code}`]),
    ...(artifact === null ? [] : [`artifact ${artifact}`]),
  ].join(', ');
  if (total === null) return `bytes: ${parts}${limit === null ? '' : `, of ${amount(limit)} in all`}`;
  const free = limit === null ? '' : total > limit ? `; ${total - limit} OVER` : `; ${limit - total} free`;
  return `bytes ${total}${limit === null ? '' : ` of ${amount(limit)}`}${parts === '' ? '' : `: ${parts}`}${free}`;
}

/** Seconds of the phases against their limits, and a line for each on a host that was slower than usual. */
export function phasesText(phases: readonly PhaseTime[]): string[] {
  if (phases.length === 0) return [];
  return [
    `seconds: ${phases.map(phaseText).join(', ')}`,
    ...phases
      .filter(isSlow)
      .map(
        (phase) =>
          `host of ${phase.phase}: ${hostText({ ...phase, cpuS: null })}; steps and seconds are not comparable with those of other runs`,
      ),
  ];
}

function phaseText({ phase, seconds, limitS, cpuS, reusedFrom }: PhaseTime): string {
  const notes = [
    ...(cpuS === null ? [] : [`CPU ${short(cpuS)}`]),
    ...(reusedFrom === null ? [] : [`taken over from trial ${reusedFrom}`]),
  ];
  const limit = limitS === null ? '' : ` of ${short(limitS)}`;
  return `${phase} ${short(seconds)}${limit}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

/** `limit wall: 15.2 of 15 s, 0.2 over`. */
export function limitText({ name, used, allowed, unit }: NonNullable<Failure['limit']>): string {
  const over = used > allowed ? `, ${amount(used - allowed)} over` : '';
  return `limit ${clip(name, 80)}: ${amount(used)} of ${amount(allowed)} ${clip(unit, 40)}${over}`;
}

const short = (seconds: number): number => Number(seconds.toPrecision(3));
