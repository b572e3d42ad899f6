import { setTimeout as pause } from 'node:timers/promises';
import { Sha256 } from '@smithy/core/checksum';
import { isThrottlingError, isTransientError, StandardRetryStrategy } from '@smithy/core/retry';
import { HttpRequest } from '@smithy/core/transport';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { lambdaCredentials, type Credentials } from './credentials.ts';
import { endpointOf } from './endpoint.ts';

/** What a service sets apart from the others. */
export interface Service {
  /** Of the default endpoint's host, and with which calls are signed, where {@link signingName} is not given. */
  readonly endpointPrefix: string;
  readonly signingName?: string;
  /** The service in the name of the variable `AWS_ENDPOINT_URL_<SERVICE>`. */
  readonly endpointVariable: string;
  /** Whether a path is escaped once more to be signed, as everywhere but in S3. @default true */
  readonly uriEscapePath?: boolean;
  readonly errorOf: (answer: Answer) => Error;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Escaped. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly query?: Readonly<Record<string, string>>;
  /** Before the endpoint's host. */
  readonly hostPrefix?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface Operation<I, O> {
  readonly callOf: (input: I) => Call;
  readonly outputOf: (answer: Answer) => O;
}

/** One call to make, as the SDK's commands are. */
export interface Command<I, O> {
  readonly input: I;
  readonly operation: Operation<I, O>;
}

export function commandOf<I, O>(operation: Operation<I, O>): new (input: I) => Command<I, O> {
  return class {
    readonly input: I;
    readonly operation = operation;
    constructor(input: I) {
      this.input = input;
    }
  };
}

/** Those settings of the SDK's clients that the platform makes. */
export interface ClientConfig {
  /** @default `AWS_REGION` */
  readonly region?: string;
  /** @default what Lambda gives the function */
  readonly credentials?: Credentials;
  /** @default `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, or else the region's own */
  readonly endpoint?: string;
  /** Tries of one call, the first included. @default 3 */
  readonly maxAttempts?: number;
  readonly requestHandler?: NodeHttpHandlerOptions;
}

/**
 * Makes calls of one service as the SDK's client does it, by the SDK's own signer, retry strategy and HTTP handler, but
 * for the operations alone that the platform calls. No call carries the trace of the invocation that it is made in.
 */
export class ServiceClient {
  readonly config: { readonly requestHandler: NodeHttpHandler };
  readonly #service: Service;
  readonly #region: string | undefined;
  readonly #endpoint: string | undefined;
  #url: URL | undefined;
  readonly #retries: StandardRetryStrategy;
  readonly #signer: SignatureV4;

  constructor(service: Service, config: ClientConfig = {}) {
    this.#service = service;
    this.#region = config.region ?? process.env['AWS_REGION'];
    this.#endpoint = config.endpoint;
    this.#retries = new StandardRetryStrategy(config.maxAttempts ?? 3);
    this.config = { requestHandler: new NodeHttpHandler(config.requestHandler) };
    this.#signer = new SignatureV4({
      service: service.signingName ?? service.endpointPrefix,
      region: this.#region ?? '',
      credentials: config.credentials ?? lambdaCredentials,
      sha256: Sha256,
      uriEscapePath: service.uriEscapePath ?? true,
    });
  }

  /** Only that of the trace can be removed, and is never there. */
  readonly middlewareStack = { remove: (name: string): boolean => name === 'recursionDetectionMiddleware' };

  destroy(): void {
    this.config.requestHandler.destroy();
  }

  async send<I, O>({ operation, input }: Command<I, O>, options: { readonly abortSignal?: AbortSignal } = {}): Promise<O> {
    const call = operation.callOf(input);
    let token = await this.#retries.acquireInitialRetryToken('');
    for (;;) {
      try {
        const answer = await this.#try(call, options.abortSignal);
        this.#retries.recordSuccess(token);
        return operation.outputOf(answer);
      } catch (error) {
        if (!isError(error) || options.abortSignal?.aborted) throw error;
        try {
          token = await this.#retries.refreshRetryTokenForRetry(token, { error, errorType: errorTypeOf(error) });
        } catch {
          // The strategy refuses by throwing.
          throw error;
        }
        await pause(token.getRetryDelay());
      }
    }
  }

  /** A URL that makes the call without credentials of its own, for so many seconds. */
  async presign(call: Call, seconds: number): Promise<string> {
    const request = this.requestOf({ ...call, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    const { protocol, headers, path, query } = await this.#signer.presign(request, { expiresIn: seconds });
    return `${protocol}//${headers['host']}${path}?${new URLSearchParams(query as Record<string, string>).toString()}`;
  }

  async #try(call: Call, abortSignal: AbortSignal | undefined): Promise<Answer> {
    const signed = await this.#signer.sign(this.requestOf(call));
    const { response } = await this.config.requestHandler.handle(new HttpRequest(signed), { ...(abortSignal && { abortSignal }) });
    const body = await bytesOf(response.body as AsyncIterable<Buffer>);
    const answer = { status: response.statusCode, headers: response.headers, body };
    if (answer.status >= 300) throw this.#service.errorOf(answer);
    return answer;
  }

  protected requestOf({ method, path, headers, body, query, hostPrefix = '' }: Call): HttpRequest {
    // Read when it is first needed: to make a client fails for no want of a region.
    const endpoint = (this.#url ??= endpointOf(this.#service, this.#region, this.#endpoint));
    return new HttpRequest({
      method,
      protocol: endpoint.protocol,
      hostname: hostPrefix + endpoint.hostname,
      ...(endpoint.port && { port: Number(endpoint.port) }),
      path: endpoint.pathname.replace(/\/$/, '') + path,
      query: { ...query },
      headers: {
        ...headers,
        host: hostPrefix + endpoint.host,
        'user-agent': 'sluice',
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      },
      body,
    });
  }
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

type RetryableError = Parameters<typeof isThrottlingError>[0];

function isError(error: unknown): error is RetryableError {
  return error instanceof Error;
}

function errorTypeOf(error: RetryableError): 'THROTTLING' | 'TRANSIENT' | 'CLIENT_ERROR' {
  if (isThrottlingError(error)) return 'THROTTLING';
  return isTransientError(error) ? 'TRANSIENT' : 'CLIENT_ERROR';
}

/** An error as the SDK gives it: told by its `name`, with what else the service says of it. */
export function serviceError(answer: Answer, name: string, message: string, told: object = {}): Error {
  const requestId = answer.headers['x-amzn-requestid'] ?? answer.headers['x-amz-request-id'];
  const $metadata = { httpStatusCode: answer.status, requestId };
  return Object.assign(new Error(message), told, { name, $fault: answer.status < 500 ? 'client' : 'server', $metadata });
}
