import { envelopeSchema, type Envelope, type KitReply } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import { runSystemTask, type SystemHandlers } from '../../core/system/run-system-task.ts';

export interface SystemFunctionDeps {
  readonly handlers: SystemHandlers;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

/** Runs the attempts of the platform's own task types. Lambda invokes it as it does any handler. */
export function createHandler({ handlers, clock, fetch }: SystemFunctionDeps) {
  return async (event: unknown): Promise<KitReply> => {
    const envelope = envelopeSchema.parse(event);
    return runSystemTask(handlers, clock, { ...envelope, payload: await payloadOf(envelope, fetch) });
  };
}

/** A large payload comes as a URL to get it from. */
async function payloadOf({ payload, payloadUrl }: Envelope, get: typeof fetch): Promise<unknown> {
  if (payloadUrl === undefined) return payload;
  const response = await get(payloadUrl);
  if (!response.ok) throw new Error(`the payload's URL answered ${response.status}`);
  return response.json();
}
