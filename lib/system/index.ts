import { SYSTEM_TYPES, type SystemType, type TaskTypeSpec, taskTypeSpecSchema } from '@sluice/contracts';
import { Construct } from 'constructs';
import { SYSTEM_TIMEOUT } from '../functions/constants.ts';
import { HandlerTarget, type TargetPlatform } from '../handler-target.ts';
import { registerTaskType, type RegistrationPlatform } from '../registration.ts';

type Settings = Pick<TaskTypeSpec, 'start' | 'concurrency'> & {
  readonly dedupWindowSeconds?: number;
  readonly retry?: Partial<TaskTypeSpec['retry']>;
};

/** The platform's own task types, as its `system` function handles them. Concurrency is each tenant's. */
const SETTINGS: Record<SystemType, Settings> = {
  // An occurrence must not be given up: whatever keeps it from its schedule passes.
  // Its id is its own for ever, and is submitted again within minutes if at all: no need to keep it for long.
  [SYSTEM_TYPES.fire]: {
    start: 'wait',
    concurrency: 50,
    retry: { maxAttempts: 100, minDelaySeconds: 1, maxDelaySeconds: 60 },
    dedupWindowSeconds: 3_600,
  },
  // About a day in all: twenty-two hours on average.
  [SYSTEM_TYPES.notify]: {
    start: 'event',
    concurrency: 20,
    retry: { maxAttempts: 10, minDelaySeconds: 5, maxDelaySeconds: 43_200, factor: 4 },
  },
  [SYSTEM_TYPES.redrive]: { start: 'event', concurrency: 4, retry: { maxAttempts: 20, minDelaySeconds: 1, maxDelaySeconds: 60 } },
};

/** Makes the `system` function the handler of the platform's own task types, and registers them. */
export class System extends Construct {
  constructor(scope: Construct, id: string, platform: RegistrationPlatform & TargetPlatform) {
    super(scope, id);
    const target = HandlerTarget.of(platform.functions.system, platform);
    for (const [name, type] of Object.entries(SYSTEM_TYPES)) {
      const spec = taskTypeSpecSchema.parse({
        v: 1,
        type,
        handler: { kind: 'lambda', arn: '-' },
        timeoutSeconds: SYSTEM_TIMEOUT.toSeconds(),
        // They say that it is not time yet as handlers say that they are throttled: no sign of a capacity.
        adaptive: false,
        ...SETTINGS[type],
        retry: SETTINGS[type].retry ?? {},
      });
      registerTaskType(new Construct(this, name), platform, target, { ...spec, handler: { kind: 'lambda', arn: target.arn } });
    }
  }
}
