import { ROUTES } from '@sluice/contracts';
import { Duration, Token } from 'aws-cdk-lib';
import { type CorsPreflightOptions, CorsHttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';

export interface CorsProps {
  /**
   * Origins whose pages may call the API: `https://console.example.com`, or `*` for any. Callers prove who they are by
   * a header and never by a cookie, so that `*` gives a foreign page nothing that it could not get without a browser.
   */
  readonly allowOrigins: string[];
}

/** What a signed call carries beside `authorization`. */
const SIGNED_HEADERS = ['x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'];

/** How long a browser may keep the answer to a preflight: Chromium keeps none for longer. */
const MAX_AGE = Duration.hours(2);

/** What the gateway answers to browsers, without asking a function. @throws Error naming an origin that can't be one */
export function corsOf({ allowOrigins }: CorsProps, signed: boolean): CorsPreflightOptions {
  if (!Token.isUnresolved(allowOrigins)) {
    if (allowOrigins.length === 0) throw new Error('TaskPlatform cors.allowOrigins: at least one origin, or leave cors out; given none');
    for (const origin of allowOrigins) checkOrigin(origin);
  }
  const methods = new Set(Object.values(ROUTES).map(({ method }) => CorsHttpMethod[method]));
  return {
    allowOrigins,
    allowMethods: [...methods].sort(),
    allowHeaders: ['authorization', 'content-type', ...(signed ? SIGNED_HEADERS : [])],
    // A browser hides from a page whatever is not named here.
    exposeHeaders: ['retry-after'],
    maxAge: MAX_AGE,
  };
}

/** A slash or a path at its end would never match what browsers send. */
function checkOrigin(origin: string): void {
  if (Token.isUnresolved(origin) || origin === '*' || /^https?:\/\/(\*|[^\s/*?#]+)$/.test(origin)) return;
  throw new Error(`TaskPlatform cors.allowOrigins: origins like https://console.example.com, or *; given ${JSON.stringify(origin)}`);
}
