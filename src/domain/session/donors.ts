import { z } from 'zod';

const MOST_DOMAINS = 100;

/** A domain as the provider's tools take it, with a path or without. */
const domain = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(?:\/[A-Za-z0-9._~/-]*)?$/,
    'a domain, such as arxiv.org, without https:// before it',
  );

/** Outside knowledge that a campaign allows: domains, or any. */
export const donorsSchema = z.union([z.literal('any'), z.array(domain).max(MOST_DOMAINS)]);
export type Donors = z.infer<typeof donorsSchema>;
