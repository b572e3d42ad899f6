import type { RuleKind } from './kinds.ts';

/** A request of a function, as the proxy sees it. */
export interface SeenCall {
  /** The function's name without the platform's. */
  readonly fn: string;
  readonly service: string;
  /** The call of a port and the command that the request comes from; undefined for one that is not tagged. */
  readonly site: { readonly port: string; readonly command: string } | undefined;
  /** The same for every try of one call. */
  readonly call: string;
  /** The process that made it. */
  readonly pid: number | undefined;
  /** Path, body and what else is known of it, to find names in. */
  readonly text: string;
}

/** A fault to be made at one call. */
export interface Rule {
  readonly fn: string;
  readonly port: string;
  readonly command: string;
  readonly kind: RuleKind;
  /** Only calls with one of these in them. @default any call */
  readonly about?: readonly string[] | undefined;
  /** Which of the calls that match, counted from 1. @default 1 */
  readonly nth?: number;
}

/** A rule at work. */
export class ArmedRule {
  readonly rule: Rule;
  /** Tries of the call that was hit. */
  tries = 0;
  private seen = 0;
  private hit: string | undefined;
  private readonly fired = Promise.withResolvers<void>();
  private readonly released = Promise.withResolvers<void>();

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Lets a call go on that is held. */
  release(): void {
    this.released.resolve();
  }

  whenReleased(): Promise<void> {
    return this.released.promise;
  }

  /** Resolves when its call has come. */
  whenFired(): Promise<void> {
    return this.fired.promise;
  }

  get hasFired(): boolean {
    return this.hit !== undefined;
  }

  /** Whether a request is a try of the call that this rule is for. */
  takes(call: SeenCall): boolean {
    if (this.hit !== undefined) return call.call === this.hit && this.another();
    if (!this.matches(call)) return false;
    this.seen += 1;
    if (this.seen < (this.rule.nth ?? 1)) return false;
    this.hit = call.call;
    this.fired.resolve();
    return this.another();
  }

  private another(): boolean {
    this.tries += 1;
    return true;
  }

  private matches({ fn, site, text }: SeenCall): boolean {
    const { rule } = this;
    return (
      site !== undefined &&
      rule.fn === fn &&
      rule.port === site.port &&
      rule.command === site.command &&
      (rule.about === undefined || rule.about.some((name) => text.includes(name)))
    );
  }
}
