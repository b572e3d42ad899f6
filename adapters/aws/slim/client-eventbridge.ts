import type * as Sdk from '@aws-sdk/client-eventbridge';
import { jsonErrorOf, jsonOperation } from './json.ts';
import { type ClientConfig, commandOf, ServiceClient } from './service.ts';

export class EventBridgeClient extends ServiceClient {
  constructor(config?: ClientConfig) {
    super({ endpointPrefix: 'events', endpointVariable: 'EVENTBRIDGE', errorOf: jsonErrorOf }, config);
  }
}

const { callOf, outputOf } = jsonOperation<unknown, Sdk.PutEventsCommandOutput>('1.1', 'AWSEvents.PutEvents');

export const PutEventsCommand = commandOf<Sdk.PutEventsCommandInput, Sdk.PutEventsCommandOutput>({
  callOf: ({ Entries = [], ...rest }) =>
    // The service's times are in seconds.
    callOf({ ...rest, Entries: Entries.map((entry) => ({ ...entry, ...(entry.Time && { Time: entry.Time.getTime() / 1000 }) })) }),
  outputOf,
});
