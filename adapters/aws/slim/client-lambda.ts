import type * as Sdk from '@aws-sdk/client-lambda';
import { jsonErrorOf } from './json.ts';
import { type Answer, type ClientConfig, commandOf, ServiceClient } from './service.ts';

export class LambdaClient extends ServiceClient {
  constructor(config?: ClientConfig) {
    super({ endpointPrefix: 'lambda', endpointVariable: 'LAMBDA', errorOf: jsonErrorOf }, config);
  }
}

type Input = Pick<Sdk.InvokeCommandInput, 'FunctionName' | 'InvocationType'> & { readonly Payload: Uint8Array };
type Output = Pick<Sdk.InvokeCommandOutput, 'StatusCode' | 'FunctionError'> & {
  readonly Payload: Uint8Array;
  readonly $metadata: { readonly requestId: string | undefined };
};

export const InvokeCommand = commandOf<Input, Output>({
  callOf: ({ FunctionName = '', InvocationType = 'RequestResponse', Payload }) => ({
    method: 'POST',
    path: `/2015-03-31/functions/${encodeURIComponent(FunctionName)}/invocations`,
    headers: { 'content-type': 'application/octet-stream', 'x-amz-invocation-type': InvocationType },
    body: Payload,
  }),
  outputOf: ({ status, headers, body }) => ({
    StatusCode: status,
    FunctionError: headers['x-amz-function-error'],
    Payload: body,
    $metadata: { requestId: headers['x-amzn-requestid'] },
  }),
});

const SOURCES = '/2015-03-31/event-source-mappings/';

function jsonOf<T>({ body }: Answer): T {
  return JSON.parse(body.toString('utf-8')) as T;
}

export const CreateEventSourceMappingCommand = commandOf<
  Sdk.CreateEventSourceMappingCommandInput,
  Pick<Sdk.EventSourceMappingConfiguration, 'UUID' | 'State'>
>({
  callOf: (input) => ({ method: 'POST', path: SOURCES, headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) }),
  outputOf: jsonOf,
});

export const ListEventSourceMappingsCommand = commandOf<
  Pick<Sdk.ListEventSourceMappingsCommandInput, 'EventSourceArn' | 'FunctionName' | 'Marker'>,
  Pick<Sdk.ListEventSourceMappingsCommandOutput, 'EventSourceMappings' | 'NextMarker'>
>({
  callOf: ({ EventSourceArn, FunctionName, Marker }) => ({
    method: 'GET',
    path: SOURCES,
    headers: {},
    query: {
      ...(EventSourceArn !== undefined && { EventSourceArn }),
      ...(FunctionName !== undefined && { FunctionName }),
      ...(Marker !== undefined && { Marker }),
    },
  }),
  outputOf: jsonOf,
});

export const DeleteEventSourceMappingCommand = commandOf<
  Pick<Sdk.DeleteEventSourceMappingCommandInput, 'UUID'>,
  Pick<Sdk.EventSourceMappingConfiguration, 'UUID' | 'State'>
>({
  callOf: ({ UUID = '' }) => ({ method: 'DELETE', path: `${SOURCES}${encodeURIComponent(UUID)}`, headers: {} }),
  outputOf: jsonOf,
});
