/** A request as Fastify gives it to a hook; of S3's routes. */
interface PutRequest {
  readonly method: string;
  readonly params: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
interface PutReply {
  status(code: number): PutReply;
  header(name: string, value: string): PutReply;
  send(body: string): unknown;
}
interface Objects {
  getObject(bucket: string, key: string): { readonly etag: string };
}
type Hook = (request: PutRequest, reply: PutReply, done: () => void) => void;

/**
 * Conditional writes of S3, which fauxqs takes for unconditional ones: `If-None-Match: *` and `If-Match`. Its handler runs
 * in the same turn as this hook, so that nobody writes in between.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function refuseConditionalPuts(objects: Objects): Hook {
  return ({ method, params, headers }, reply, done) => {
    const { bucket, '*': key } = (params ?? {}) as { bucket?: string; '*'?: string };
    const [ifMatch, ifNoneMatch] = [headers['if-match'], headers['if-none-match']];
    if (method !== 'PUT' || !bucket || !key || (ifMatch === undefined && ifNoneMatch === undefined)) return done();
    const etag = etagOf(objects, bucket, key);
    const refuse = (status: number, code: string, message: string): unknown =>
      reply
        .status(status)
        .header('content-type', 'application/xml')
        .send(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
      return void refuse(501, 'NotImplemented', 'If-None-Match of a PUT takes * only.');
    }
    if (ifMatch !== undefined && etag === undefined) return void refuse(404, 'NoSuchKey', 'The specified key does not exist.');
    const isMet = ifNoneMatch !== undefined ? etag === undefined : etag === unquoted(String(ifMatch));
    if (isMet) return done();
    refuse(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  };
}

function etagOf(objects: Objects, bucket: string, key: string): string | undefined {
  try {
    return unquoted(objects.getObject(bucket, key).etag);
  } catch {
    // There is none; a bucket that is missing is the handler's to tell.
    return undefined;
  }
}

function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}
