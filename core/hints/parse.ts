import { hintMessageSchema, type HintMessage } from '@sluice/contracts';

/** The message of a shard queue; `undefined` when it is none of ours or of a version that is not known. */
export function parseHint(body: string): HintMessage | undefined {
  try {
    return hintMessageSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
