import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';

const TASK = defineSearchAttributeKey('AssayTask', SearchAttributeType.KEYWORD);
const ROLE = defineSearchAttributeKey('AssayRole', SearchAttributeType.KEYWORD);
const STATUS = defineSearchAttributeKey('AssayStatus', SearchAttributeType.KEYWORD);
const SCORE = defineSearchAttributeKey('AssayScore', SearchAttributeType.DOUBLE);
const TRIAL = defineSearchAttributeKey('AssayTrial', SearchAttributeType.INT);

type Registered = Pick<FrozenCampaign, 'attributes'>;

function known(frozen: Registered, pairs: SearchAttributePair[]): SearchAttributePair[] {
  return pairs.filter((pair) => frozen.attributes.some((name) => name === pair.key.name));
}

/** The attributes of a trial, restricted to those that the server knows. */
export function trialAttributes(
  frozen: Registered & { task: { name: string } },
  of: { number: number; role: string; status: string; score: number | null },
): SearchAttributePair[] {
  return known(frozen, [
    { key: TASK, value: frozen.task.name },
    { key: ROLE, value: of.role },
    { key: STATUS, value: of.status },
    { key: TRIAL, value: of.number },
    ...(of.score === null ? [] : [{ key: SCORE, value: of.score }]),
  ]);
}

/** The attributes of a campaign or a lane. */
export function searchAttributesOf(
  frozen: Registered & { task: { name: string } },
  of: { role?: string; status?: string; score?: number | null },
): SearchAttributePair[] {
  return known(frozen, [
    { key: TASK, value: frozen.task.name },
    ...(of.role === undefined ? [] : [{ key: ROLE, value: of.role }]),
    ...(of.status === undefined ? [] : [{ key: STATUS, value: of.status }]),
    ...(of.score === undefined || of.score === null ? [] : [{ key: SCORE, value: of.score }]),
  ]);
}
