export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** ms in which the whole call must be answered. */
  readonly timeoutMs: number;
}

export type WebhookAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The header `Retry-After` as it came. */
      readonly retryAfter?: string;
      /** The beginning of the body of an answer that is no success. */
      readonly body: string;
    }
  /** The URL leads to where webhooks must not go. Nothing was sent. */
  | { readonly kind: 'forbidden'; readonly message: string }
  /** No answer: the receiver may have got it. */
  | { readonly kind: 'failed'; readonly message: string };

/** Calls webhooks. Follows no redirect, and connects only to addresses that webhooks may go to. Does not throw. */
export interface WebhookSender {
  readonly send: (tenant: string, request: WebhookRequest) => Promise<WebhookAnswer>;
}
