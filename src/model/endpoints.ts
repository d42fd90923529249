import { AssayError } from '../domain/errors.js';
import { z } from 'zod';
import type { AuthHeader, Endpoint } from './client.js';

/** Endpoints of the models of campaigns, as this worker reaches them. */
export interface ModelEndpoints {
  /** @throws AssayError MODEL_KEY_MISSING for a model that needs a key which this worker does not have */
  endpointOf(model: { id: string; offline: boolean }): Endpoint;
}

export interface EndpointSettings {
  /** Base URL of the offline proposer that runs beside this worker. */
  offlineUrl: string;
  /** Base URL of a Messages-compatible endpoint; null for the vendor's own. */
  baseUrl: string | null;
  apiKey: string | null;
  /** Header that carries the key. */
  auth: AuthHeader;
}

export function modelEndpoints(settings: EndpointSettings): ModelEndpoints {
  return {
    endpointOf: (model) => {
      if (model.offline) return { baseUrl: settings.offlineUrl, apiKey: 'offline' };
      if (settings.apiKey === null)
        throw new AssayError(
          'MODEL_KEY_MISSING',
          `the model "${model.id}" needs a key, and this worker has none`,
        );
      return {
        apiKey: settings.apiKey,
        auth: settings.auth,
        ...(settings.baseUrl === null ? {} : { baseUrl: settings.baseUrl }),
      };
    },
  };
}

const authSchema = z.enum(['bearer', 'x-api-key']);

/**
 * The settings that the environment gives; the key itself never goes anywhere but to the client.
 * @throws AssayError USAGE where ASSAY_MODEL_AUTH names no header
 */
export function settingsFrom(env: NodeJS.ProcessEnv, offlineUrl: string): EndpointSettings {
  const given = (name: string): string | null =>
    env[name] === undefined || env[name] === '' ? null : env[name];
  const auth = authSchema.safeParse(given('ASSAY_MODEL_AUTH') ?? 'bearer');
  if (!auth.success)
    throw new AssayError(
      'USAGE',
      `ASSAY_MODEL_AUTH is "bearer" or "x-api-key", not "${given('ASSAY_MODEL_AUTH')}"`,
    );
  return {
    offlineUrl,
    baseUrl: given('ANTHROPIC_BASE_URL'),
    apiKey: given('ANTHROPIC_API_KEY'),
    auth: auth.data,
  };
}
