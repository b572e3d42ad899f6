import {
  limitMessage,
  LIMITS,
  type MetricName,
  type RetryOverride,
  type Start,
  type StarvationBounds,
  type TaskTypeSpec,
  type TypeNotify,
  taskTypeSpecSchema,
  userTypeNameSchema,
} from '@sluice/contracts';
import { Annotations, Duration, Token } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Architecture, IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { nodeFunction } from './functions/node-function.ts';
import { HandlerTarget } from './handler-target.ts';
import { AGE_OBJECTIVE_MINUTES } from './monitoring/constants.ts';
import type { Resource } from './resource.ts';
import { registerTaskType } from './registration.ts';
import { logGroupNameOf } from './log-group.ts';
import type { TaskPlatform } from './task-platform.ts';

/** A Node function that {@link TaskType} makes, bundled with esbuild. */
export interface NodeHandlerProps {
  /** Path of the TypeScript or JavaScript file that exports `handler`. */
  readonly entry: string;
  /**
   * Packages to install beside the bundle instead of into it, such as `sharp`. Native parts are fetched for the
   * function's architecture, whatever machine builds it.
   * @default none
   */
  readonly nodeModules?: readonly string[];
  /**
   * MB.
   * @default 512
   */
  readonly memorySize?: number;
  /** @default - only NODE_OPTIONS=--enable-source-maps */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default - the platform's */
  readonly architecture?: Architecture;
}

export interface TaskTypeProps {
  readonly platform: TaskPlatform;
  /**
   * The name that submissions give: lower-case letters, digits, `.`, `-` and `_`.
   * @default - the construct's id in kebab case: `ImportCsv` is `import-csv`
   */
  readonly type?: string;
  /**
   * What runs a task: any Lambda function, in any language, made here or imported, or the entry file of a Node
   * function to make. It runs through the alias `sluice`, which Sluice puts on it.
   */
  readonly handler: IFunction | NodeHandlerProps;
  /**
   * How long one attempt may run, at most 15 minutes (2 minutes with `start: 'wait'`). A lease is this and a little
   * more, so it must not be less than the function's own timeout.
   * @default - the function's timeout; 60 s for an entry file; must be given for an imported function
   */
  readonly timeout?: Duration;
  /**
   * When a failed attempt is tried again.
   * @default - 5 attempts, after 1 s to 15 minutes, doubling, with full jitter
   */
  readonly retry?: RetryOverride;
  /**
   * How many retries the lane of a tenant starts, at most: the greater of a share of its first attempts, in percent, and
   * a number a minute. Those beyond it wait.
   * @default - 20 percent, 60 a minute
   */
  readonly retryBudget?: Partial<NonNullable<TaskTypeSpec['retryBudget']>>;
  /**
   * Attempts of one tenant in flight at once, 1 to 10,000.
   * @default 10
   */
  readonly concurrency?: number;
  /**
   * Attempts of all tenants together in flight at once, 1 to 1,000,000. What it has is divided among the tenants that
   * have work, by their weights; each still has at most `concurrency`.
   * @default - as many as all tenants may together
   */
  readonly capacity?: number;
  /**
   * What its attempts draw on downstream, up to four: each `Resource`, or its name, has a capacity that is divided among
   * all types and tenants that draw on it.
   * @default - none
   */
  readonly resources?: readonly (Resource | string)[];
  /**
   * How the lane of a tenant finds the capacity of what is behind its handler: it begins with a few attempts at once, takes
   * more while it goes well, and fewer when attempts are throttled, between 1 and `concurrency`. `false`: always as many as
   * `concurrency` says.
   * @default - as its `resources` say it; else 10 at first, fewer when 3 attempts and 2 % of those of 10 s are throttled
   */
  readonly adaptive?: TaskTypeSpec['adaptive'];
  /**
   * Attempts that the lane of a tenant starts in windows of time, one or two that hold at once, such as 10 a second and
   * 5,000 an hour. What is beyond them waits, free of charge. After a rest as many as the limit start at once.
   * @default - at any pace
   */
  readonly rates?: TaskTypeSpec['rates'];
  /**
   * Whether attempts of `low` tasks may be asked to make room for `high` ones that find their lane full. One that is asked stops at
   * its next `ctx.checkpoint` (of the handler kit), costs the task nothing, and is queued again; three times at most.
   * @default false
   */
  readonly preemptible?: boolean;
  /**
   * How long a task waits at most while tasks of higher classes keep coming, 10 s to 7 days each, as long as its class asks for
   * no more of its lane than its share.
   * @default - 5 minutes for `normal`, 30 minutes for `low`
   */
  readonly starvationBounds?: { readonly normal?: Duration; readonly low?: Duration };
  /**
   * How an attempt is started: `event` = asynchronously, for anything long; `wait` = dispatch waits for the reply, for
   * short work; `auto` = `event` until a thousand runs of a type with a timeout of at most 30 s show a 95th percentile of
   * half a second or less, and `event` again above a second.
   * @default 'event'
   */
  readonly start?: Start;
  /**
   * How long a succeeded task keeps its id, so that a repeated submission is the same task; 1 minute to 365 days.
   * @default Duration.days(14)
   */
  readonly dedupWindow?: Duration;
  /**
   * How long a task of this type may wait in the backlog of a full lane before the platform's alarm begins; 1 minute to
   * 14 days, measured once a minute.
   * @default Duration.minutes(15)
   */
  readonly ageObjective?: Duration;
  /**
   * To whom the ends of the tasks are told; a submission may say otherwise. A queue is one of the platform's
   * `notificationQueues`. Webhooks are signed with the secret of the task's tenant, which it must have made.
   * @default - failures, expiries and cancellations become events on the platform's bus
   */
  readonly notify?: TypeNotify;
}

/**
 * A named kind of task with its handler.
 * @example
 * new TaskType(this, 'Thumbnail', { platform, handler: fn, concurrency: 20 });
 */
export class TaskType extends Construct {
  /** The name that submissions give. */
  readonly type: string;
  /** The function that runs the tasks, to grant it what its work needs. */
  readonly handler: IFunction;
  readonly #platform: TaskPlatform;

  constructor(scope: Construct, id: string, props: TaskTypeProps) {
    super(scope, id);
    const { platform } = props;
    this.#platform = platform;
    this.type = props.type ?? kebab(id);
    this.#check('type', userTypeNameSchema.safeParse(this.type, { error: limitMessage }));
    platform.addTaskType(this.type, this);
    this.handler = isFunction(props.handler) ? this.#unqualified(props.handler) : this.#makeHandler(props.handler, props);
    const timeout = this.#timeoutOf(props);
    const queue = props.notify?.queue?.name;
    if (queue !== undefined) this.node.addValidation({ validate: () => this.#flawOfQueue(queue) });
    const resources = props.resources?.map((resource) => (typeof resource === 'string' ? resource : resource.resource));
    if (resources) this.node.addValidation({ validate: () => this.#flawsOfResources(resources) });
    const target = HandlerTarget.of(this.handler, platform);
    const spec = this.#makeSpec(props, target.arn, timeout, resources);
    const declared = (props.resources ?? []).filter((resource) => typeof resource !== 'string');
    registerTaskType(this, platform, target, spec, declared);
    platform.monitoring?.addTaskType({ type: this.type, ageObjective: this.#ageObjectiveOf(props), concurrency: spec.concurrency });
  }

  /** A metric of this type, for alarms and graphs of one's own; see {@link TaskPlatform.metric}. */
  metric(name: MetricName, options: MetricOptions = {}): Metric {
    return this.#platform.metric(name, { ...options, type: this.type });
  }

  #makeHandler(handler: NodeHandlerProps, { platform, timeout }: TaskTypeProps): IFunction {
    return nodeFunction(this, 'Handler', {
      entry: handler.entry,
      timeout: timeout ?? Duration.seconds(60),
      memorySize: handler.memorySize ?? 512,
      architecture: handler.architecture ?? platform.architecture,
      logRetention: platform.logRetention,
      description: `Sluice task type ${this.type}`,
      environment: { NODE_OPTIONS: '--enable-source-maps', ...handler.environment },
      ...(handler.nodeModules && { nodeModules: handler.nodeModules }),
    });
  }

  /** Sluice puts an alias of its own on the function, so it needs the function itself. */
  #unqualified(handler: IFunction): IFunction {
    if ('qualifier' in handler || 'aliasName' in handler || 'version' in handler) {
      throw this.#error('handler: an alias or a version; give the function itself, Sluice makes an alias of its own');
    }
    return handler;
  }

  #timeoutOf(props: TaskTypeProps): Duration {
    const own = timeoutOf(this.handler);
    const timeout = props.timeout ?? own;
    if (!timeout) {
      throw this.#error("timeout: must be given, because an imported function's own timeout can't be read at synth time");
    }
    if (own && !own.isUnresolved() && !timeout.isUnresolved() && timeout.toSeconds() < own.toSeconds()) {
      throw this.#error(
        `timeout: at least the function's own, ${own.toSeconds()} s, or a lease could end while its attempt still runs; given ${timeout.toSeconds()} s`,
      );
    }
    return timeout;
  }

  #ageObjectiveOf({ ageObjective = Duration.minutes(AGE_OBJECTIVE_MINUTES) }: TaskTypeProps): Duration {
    if (ageObjective.isUnresolved()) throw this.#error('ageObjective: must be known at synth time, because an alarm names it');
    const seconds = ageObjective.toSeconds({ integral: false });
    if (seconds < 60 || seconds > 14 * 86_400) {
      throw this.#error(`ageObjective: from 60 s to 14 days, because it is measured once a minute; given ${seconds} s`);
    }
    return ageObjective;
  }

  #makeSpec(props: TaskTypeProps, arn: string, timeout: Duration, resources: string[] | undefined): TaskTypeSpec {
    const { start = 'event', concurrency = 10, dedupWindow = Duration.days(14) } = props;
    const timeoutSeconds = timeout.toSeconds();
    if (start === 'wait' && !Token.isUnresolved(timeoutSeconds) && timeoutSeconds > LIMITS.waitTimeoutSeconds) {
      throw this.#error(
        `timeout: at most ${LIMITS.waitTimeoutSeconds} s with start 'wait', because dispatch waits for the reply; given ${timeoutSeconds} s`,
      );
    }
    if (start === 'auto' && !Token.isUnresolved(timeoutSeconds) && timeoutSeconds > LIMITS.autoTimeoutSeconds) {
      Annotations.of(this).addWarningV2(
        'sluice:auto-timeout',
        `start: 'auto' is 'event' for a timeout of ${timeoutSeconds} s, because dispatch waits for types of at most ${LIMITS.autoTimeoutSeconds} s: lower the timeout, or say 'event'`,
      );
    }
    // Values that are known only at deploy time pass here; the registrar checks the whole spec again.
    const logGroup = logGroupNameOf(this.handler);
    const checked = this.#check(
      '',
      taskTypeSpecSchema.safeParse(
        {
          v: 1,
          type: this.type,
          handler: { kind: 'lambda', arn, ...(logGroup && { logGroup }) },
          start,
          timeoutSeconds: known(timeoutSeconds, 1),
          concurrency: known(concurrency, 1),
          ...(props.capacity !== undefined && { capacity: known(props.capacity, 1) }),
          ...(resources && { resources }),
          retry: props.retry ?? {},
          ...(props.retryBudget && { retryBudget: props.retryBudget }),
          ...(props.adaptive !== undefined && { adaptive: props.adaptive }),
          ...(props.rates && { rates: props.rates }),
          ...(props.preemptible === true && { preemptible: true }),
          ...(props.starvationBounds && { starvation: secondsOf(props.starvationBounds) }),
          dedupWindowSeconds: known(dedupWindow.toSeconds(), 60),
          ...(props.notify && { notify: props.notify }),
        },
        { error: limitMessage },
      ),
    );
    const { capacity } = props;
    return {
      ...checked,
      timeoutSeconds,
      concurrency,
      ...(capacity !== undefined && { capacity }),
      dedupWindowSeconds: dedupWindow.toSeconds(),
    };
  }

  /** Once all are declared. */
  #flawOfQueue(name: string): string[] {
    const { names } = this.#platform.notifications;
    if (names.includes(name)) return [];
    return [`notify.queue: "${name}" is none of the platform's notificationQueues; these are: ${names.join(', ') || 'none'}`];
  }

  /** Once all are declared. */
  #flawsOfResources(names: readonly string[]): string[] {
    const declared = this.#platform.resources;
    const missing = names.filter((name) => !declared.includes(name));
    return missing.map((name) => `resources: there is no Resource "${name}" on this platform; there are: ${declared.join(', ') || 'none'}`);
  }

  #check<T>(prop: string, parsed: { success: true; data: T } | { success: false; error: { issues: Issue[] } }): T {
    if (parsed.success) return parsed.data;
    const found = parsed.error.issues.map((i) => `${[prop, ...i.path].filter((p) => p !== '').join('.')}: ${i.message}`);
    throw this.#error(found.join('; '));
  }

  #error(message: string): Error {
    return new Error(`TaskType ${this.node.path}: ${message}`);
  }
}

interface Issue {
  path: PropertyKey[];
  message: string;
}

function isFunction(handler: IFunction | NodeHandlerProps): handler is IFunction {
  return 'functionArn' in handler;
}

/** A function made here has a `timeout`, 3 s if it was left to Lambda; of an imported one it is not known. */
function timeoutOf(handler: IFunction): Duration | undefined {
  if (!('currentVersion' in handler)) return undefined;
  return 'timeout' in handler && handler.timeout instanceof Duration ? handler.timeout : Duration.seconds(3);
}

function secondsOf({ normal, low }: NonNullable<TaskTypeProps['starvationBounds']>): Partial<StarvationBounds> {
  return { ...(normal && { normalSeconds: normal.toSeconds() }), ...(low && { lowSeconds: low.toSeconds() }) };
}

function known(value: number, standIn: number): number {
  return Token.isUnresolved(value) ? standIn : value;
}

/** `ImportCsv` → `import-csv`, `SendHTMLEmail` → `send-html-email`. */
function kebab(id: string): string {
  return id
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
