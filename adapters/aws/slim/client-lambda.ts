import type * as Sdk from '@aws-sdk/client-lambda';
import { jsonErrorOf } from './json.ts';
import { type ClientConfig, commandOf, ServiceClient } from './service.ts';

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
