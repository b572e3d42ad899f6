import { join } from 'node:path';
import type { FunctionName } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';
import type { Architecture, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { AdmissionRules } from '../admission.ts';
import type { Control } from '../control/index.ts';
import type { Events } from '../events/index.ts';
import type { Outcomes } from '../outcomes/index.ts';
import type { Pool } from '../pool/index.ts';
import { LEADING_KEYS } from '../storage/constants.ts';
import type { Storage } from '../storage/index.ts';
import { FUNCTIONS, runtimeEnv } from './constants.ts';
import { nodeFunction } from './node-function.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface FunctionsProps {
  readonly name: string;
  readonly storage: Storage;
  readonly events: Events;
  readonly pool: Pool;
  readonly outcomes: Outcomes;
  readonly control: Control;
  /** By the names of the contracts. */
  readonly admission: AdmissionRules;
  readonly architecture: Architecture;
  readonly logRetention: RetentionDays;
  /** Whether API tokens are used, for which there is an authorizer. */
  readonly tokens: boolean;
}

/** The functions of the platform. Each is granted the calls that it makes and no other. */
export class Functions extends Construct {
  readonly submit: LambdaFunction;
  readonly api: LambdaFunction;
  /** Only where callers use API tokens. */
  readonly authorizer: LambdaFunction | undefined;
  readonly dispatch: LambdaFunction;
  readonly settle: LambdaFunction;
  readonly timers: LambdaFunction;
  readonly control: LambdaFunction;
  readonly audit: LambdaFunction;
  readonly registrar: LambdaFunction;
  readonly system: LambdaFunction;
  readonly #props: FunctionsProps;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.#props = props;
    this.submit = this.#makeSubmit();
    this.api = this.#makeApi();
    this.authorizer = props.tokens ? this.#makeAuthorizer() : undefined;
    this.dispatch = this.#makeDispatch();
    this.settle = this.#makeSettle();
    this.timers = this.#makeTimers();
    this.control = this.#makeControl();
    this.audit = this.#makeAudit();
    this.registrar = this.#makeRegistrar();
    this.system = this.#makeSystem();
  }

  #makeSubmit(): LambdaFunction {
    const { storage, pool, events, control } = this.#props;
    const fn = this.#make('submit');
    control.grantTell(fn);
    this.#tellAdmission(fn);
    storage.grantTable(fn, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
    storage.grantBucket(fn, ['PutObject']);
    storage.tellListIndex(fn);
    pool.grantSend(fn);
    events.grantPut(fn);
    return fn;
  }

  #makeApi(): LambdaFunction {
    const { storage, pool, events, control } = this.#props;
    const fn = this.#make('api');
    storage.grantTable(fn, ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']);
    storage.grantList(fn);
    storage.grantDead(fn);
    storage.grantBucket(fn, ['GetObject', 'PutObject']);
    storage.grantListBucket(fn);
    pool.grantSend(fn);
    control.grantTell(fn);
    events.grantPut(fn);
    return fn;
  }

  #makeAuthorizer(): LambdaFunction {
    const fn = this.#make('authorizer');
    this.#props.storage.grantTable(fn, ['GetItem'], [LEADING_KEYS.tokens, LEADING_KEYS.principals]);
    return fn;
  }

  #makeDispatch(): LambdaFunction {
    const { storage, pool, events, control } = this.#props;
    const fn = this.#make('dispatch');
    storage.grantTable(fn, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'BatchWriteItem']);
    storage.grantBucket(fn, ['GetObject', 'PutObject']);
    storage.grantListBucket(fn);
    storage.tellListIndex(fn);
    pool.grantSend(fn);
    pool.grantConsume(fn);
    control.grantTell(fn);
    events.grantPut(fn);
    return fn;
  }

  #makeSettle(): LambdaFunction {
    const { storage, pool, events, outcomes } = this.#props;
    const fn = this.#make('settle');
    storage.grantTable(fn, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
    // A large payload of a task that failed is written once more, so that it lasts as long as its row.
    storage.grantBucket(fn, ['GetObject', 'PutObject']);
    storage.grantListBucket(fn);
    storage.tellListIndex(fn);
    pool.grantSend(fn);
    events.grantPut(fn);
    outcomes.grantConsume(fn);
    return fn;
  }

  #makeTimers(): LambdaFunction {
    const { storage, pool, events } = this.#props;
    const fn = this.#make('timers');
    storage.grantTable(fn, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']);
    // It arms schedules whose chain of tasks was lost, which is a submission like any other.
    storage.grantBucket(fn, ['PutObject']);
    storage.tellListIndex(fn);
    events.grantPut(fn);
    pool.grantSend(fn);
    pool.grantDeadLetters(fn);
    // A tick that failed is made up by the next: its cursor has not moved. Lambda's own retries would only overlap it.
    fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(60) });
    return fn;
  }

  #makeControl(): LambdaFunction {
    const { storage, pool, control } = this.#props;
    const fn = this.#make('control');
    this.#tellAdmission(fn);
    storage.grantTable(fn, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']);
    pool.grantSend(fn);
    pool.grantRoute(fn, this.dispatch);
    control.grantConsume(fn);
    control.grantTell(fn);
    // The next round looks at everything anew: Lambda's own retries would only overlap it.
    fn.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(60) });
    return fn;
  }

  #makeAudit(): LambdaFunction {
    const { storage, pool } = this.#props;
    const fn = this.#make('audit');
    storage.grantTable(fn, ['Scan', 'GetItem', 'Query']);
    pool.grantSend(fn);
    return fn;
  }

  #makeRegistrar(): LambdaFunction {
    const fn = this.#make('registrar');
    this.#props.storage.grantTable(fn, ['GetItem', 'PutItem', 'DeleteItem'], [LEADING_KEYS.taskTypes, LEADING_KEYS.endedRequests]);
    return fn;
  }

  /** The handler of the platform's own task types: it submits tasks as callers do. */
  #makeSystem(): LambdaFunction {
    const { storage, pool, events } = this.#props;
    const fn = this.#make('system');
    storage.grantTable(fn, ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'Query']);
    storage.grantDead(fn);
    storage.grantBucket(fn, ['GetObject', 'PutObject']);
    storage.grantListBucket(fn);
    storage.tellListIndex(fn);
    pool.grantSend(fn);
    events.grantPut(fn);
    return fn;
  }

  /** What tenants may submit whose quota says nothing else. */
  #tellAdmission(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_ADMISSION', JSON.stringify(this.#props.admission));
  }

  #make(name: FunctionName): LambdaFunction {
    return nodeFunction(this, name, {
      ...FUNCTIONS[name],
      functionName: `${this.#props.name}-${name}`,
      entry: join(ROOT, 'functions', name, 'index.ts'),
      projectRoot: ROOT,
      architecture: this.#props.architecture,
      logRetention: this.#props.logRetention,
      environment: runtimeEnv(this.#props.name),
      slimClients: true,
    });
  }
}
