import { customEndpoint } from './endpoint.ts';
import { type Answer, type Call, type ClientConfig, commandOf, serviceError, ServiceClient } from './service.ts';

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
}

interface PutInput extends ObjectInput {
  readonly Body: string;
  readonly ContentType?: string;
}

/** A call of an object, whose bucket is still to be put where its endpoint wants it. */
interface ObjectCall extends Call {
  readonly bucket: string;
}

export class S3Client extends ServiceClient {
  readonly #pathStyle: boolean;

  constructor(config: ClientConfig & { readonly forcePathStyle?: boolean } = {}) {
    super({ endpointPrefix: 's3', endpointVariable: 'S3', uriEscapePath: false, errorOf: xmlErrorOf }, config);
    // Emulators answer at one host for all buckets.
    this.#pathStyle = config.forcePathStyle ?? customEndpoint('S3', config.endpoint) !== undefined;
  }

  protected override requestOf(call: ObjectCall): ReturnType<ServiceClient['requestOf']> {
    const { bucket, path } = call;
    // No certificate of S3 is valid for a bucket with a dot before its host.
    const inPath = this.#pathStyle || bucket.includes('.');
    return super.requestOf(inPath ? { ...call, path: `/${bucket}${path}` } : { ...call, hostPrefix: `${bucket}.` });
  }
}

const objectCall = (method: Call['method'], { Bucket, Key }: ObjectInput): ObjectCall => ({
  method,
  bucket: Bucket,
  path: `/${Key.split('/').map(escaped).join('/')}`,
  headers: {},
});

export const GetObjectCommand = commandOf({
  callOf: (input: ObjectInput): ObjectCall => objectCall('GET', input),
  outputOf: ({ body }) => ({ Body: { transformToString: async (encoding: BufferEncoding = 'utf-8') => body.toString(encoding) } }),
});

export const PutObjectCommand = commandOf({
  callOf: (input: PutInput): ObjectCall => ({
    ...objectCall('PUT', input),
    headers: { ...(input.ContentType && { 'content-type': input.ContentType }) },
    body: input.Body,
  }),
  outputOf: ({ headers }) => ({ ETag: headers['etag'] }),
});

/** What `encodeURIComponent` leaves alone though a signature wants it escaped. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function xmlErrorOf(answer: Answer): Error {
  const text = answer.body.toString('utf-8');
  const told = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1];
  return serviceError(answer, told('Code') ?? 'UnknownError', told('Message') ?? `status ${answer.status}`);
}
