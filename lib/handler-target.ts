import { EVENT_AGE_SECONDS } from '@sluice/contracts';
import { Annotations, Duration } from 'aws-cdk-lib';
import {
  type Alias,
  CfnAlias,
  EventInvokeConfig,
  type Function as LambdaFunction,
  type IDestination,
  type IFunction,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Outcomes } from './outcomes/index.ts';

/** What a target needs of its platform. */
export interface TargetPlatform extends Construct {
  readonly name: string;
  readonly outcomes: Outcomes;
}

/** The alias that Sluice owns on each handler function. */
export const ALIAS_NAME = 'sluice';

/**
 * The alias of a handler function through which Sluice invokes it, with the destinations that bring the outcome back.
 * It is made below the function, in the function's stack, and shared by all task types that the function serves.
 */
export class HandlerTarget extends Construct {
  /** The target of a function, made at the first call. */
  static of(handler: IFunction, platform: TargetPlatform): HandlerTarget {
    const existing = handler.node.tryFindChild('Sluice') as HandlerTarget | undefined;
    if (existing && existing.#platform !== platform) {
      throw new Error(
        `${handler.node.path} is a handler of ${existing.#platform.node.path} already; its outcomes can go to one platform only, so give ${platform.node.path} a function of its own`,
      );
    }
    return existing ?? new HandlerTarget(handler, platform);
  }

  /** The ARN of the alias. */
  readonly arn: string;
  readonly #platform: TargetPlatform;

  private constructor(handler: IFunction, platform: TargetPlatform) {
    super(handler, 'Sluice');
    this.#platform = platform;
    const alias = this.#makeAlias(handler);
    this.arn = alias instanceof CfnAlias ? alias.ref : alias.functionArn;
    this.#grantOutcomes(handler, platform.outcomes);
    const destination: IDestination = { bind: () => ({ destination: platform.outcomes.queue.queueArn }) };
    const config = new EventInvokeConfig(this, 'Outcomes', {
      function: handler,
      qualifier: ALIAS_NAME,
      maxEventAge: Duration.seconds(EVENT_AGE_SECONDS),
      // Retries are Sluice's: each attempt is claimed, counted and paced.
      retryAttempts: 0,
      onSuccess: destination,
      onFailure: destination,
    });
    config.node.addDependency(alias);
    // Lambda takes a destination only if the function's role may already send to it.
    if (handler.role) config.node.addDependency(handler.role);
  }

  /** On the current version of a function that is made here, so that a deployment switches at once; else on $LATEST. */
  #makeAlias(handler: IFunction): Alias | CfnAlias {
    if (isOwned(handler)) return handler.addAlias(ALIAS_NAME);
    return new CfnAlias(this, 'Alias', {
      name: ALIAS_NAME,
      functionName: handler.functionName,
      functionVersion: '$LATEST',
    });
  }

  #grantOutcomes(handler: IFunction, outcomes: Outcomes): void {
    if (handler.role && outcomes.grantSend(handler)) return;
    Annotations.of(handler).addWarningV2(
      'sluice:grant-outcomes',
      `The role of this function is not known here, so it could not be granted what Lambda's destinations need. Allow it sqs:SendMessage on the queue "${this.#platform.name}-outcomes", or import the function with its role: Function.fromFunctionAttributes(..., { functionArn, role })`,
    );
  }
}

/** A function that is made in this app has a current version; an imported one has not. */
function isOwned(handler: IFunction): handler is LambdaFunction {
  return 'currentVersion' in handler;
}
