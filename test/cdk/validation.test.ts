import type { Stack } from 'aws-cdk-lib';
import { Aws, CfnParameter, Duration, Token } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, type IFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { TaskPlatform, type TaskPlatformProps, TaskType, type TaskTypeProps } from '../../lib/index.ts';
import { makePlatform } from './synth.ts';

describe('a platform refuses', () => {
  const cases: [string, TaskPlatformProps, RegExp][] = [
    ['an upper-case name', { name: 'Orders' }, /name: 1 to 32 lower-case letters.*given "Orders"/],
    ['a name that ends with a dash', { name: 'orders-' }, /not ending with "-"/],
    ['a name that is too long', { name: 'o'.repeat(33) }, /1 to 32/],
    ['a name that is known only at deploy time', { name: Aws.STACK_NAME }, /known only at deploy time/],
    ['no shards', { shards: 0 }, /shards: a whole number from 1 to 64; given 0/],
    ['more shards than a stack can hold', { shards: 65 }, /from 1 to 64; given 65/],
    ['shards that are known only at deploy time', { shards: Token.asNumber({ Ref: 'N' }) }, /known only at deploy time/],
    ['more shards for a tenant than there are', { shards: 4, shardsPerTenant: 5 }, /shardsPerTenant: .* from 1 to 4; given 5/],
    ['half a shard', { shardsPerTenant: 1.5 }, /whole number/],
    ['a concurrency below the least of Lambda', { maxConcurrency: 1 }, /maxConcurrency: .* from 2 to 1000; given 1/],
    ['a cache that outlasts an hour', { tokenCacheTtl: Duration.hours(2) }, /tokenCacheTtl: .*3600 seconds; given 7200 seconds/],
    ['no requests', { requestsPerSecond: 0 }, /requestsPerSecond/],
    ['no burst', { requestBurst: 0 }, /requestBurst/],
  ];
  it.each(cases)('%s', (_, props, message) => {
    expect(() => makePlatform(props)).toThrow(message);
  });

  it('nothing that is known only at deploy time where that is allowed', () => {
    const { stack } = makePlatform();
    const rate = new CfnParameter(stack, 'Rate', { type: 'Number' }).valueAsNumber;
    expect(() => new TaskPlatform(stack, 'Other', { name: 'other', requestsPerSecond: rate, maxConcurrency: rate })).not.toThrow();
  });
});

describe('a task type refuses', () => {
  const make = (props: Partial<TaskTypeProps>, functionTimeout?: Duration): TaskType => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = plainFunction(stack, functionTimeout);
    return new TaskType(stack, 'Thumbnail', { platform, handler, ...props });
  };
  const cases: [string, Partial<TaskTypeProps>, RegExp][] = [
    ['a name with a blank', { type: 'make thumbnail' }, /TaskType Sluice\/Thumbnail: type: a task type is lower-case/],
    ['a name with the separator of keys', { type: 'a#b' }, /type: a task type is/],
    ['no concurrency', { concurrency: 0 }, /concurrency: .*>=1/],
    ['a rule of nothing', { retry: { rules: [{ as: 'fatal' }] } }, /retry\.rules\.0: a rule names an error, a message or a status/],
    ['a lane that begins with nothing', { adaptive: { start: 0 } }, /adaptive\.start: .*>=1/],
    ['no rate at all', { rates: [] }, /rates: at least one rate; leave it out where there is none/],
    [
      'two rates of one window',
      {
        rates: [
          { limit: 1, perSeconds: 60 },
          { limit: 2, perSeconds: 60 },
        ],
      },
      /rates: two rates have the same window: keep the lower one/,
    ],
    ['a budget without a floor', { retryBudget: { perMinute: 0 } }, /retryBudget\.perMinute: .*>=1/],
    ['too much concurrency', { concurrency: 10_001 }, /concurrency: .*10000/],
    ['a timeout beyond 15 minutes', { timeout: Duration.minutes(16) }, /timeoutSeconds: .*900/],
    [
      'a timeout beyond 2 minutes where dispatch waits',
      { start: 'wait', timeout: Duration.minutes(3) },
      /at most 120 s with start 'wait'.*given 180 s/,
    ],
    ['a dedup window below a minute', { dedupWindow: Duration.seconds(5) }, /dedupWindowSeconds/],
    ['a dedup window beyond a year', { dedupWindow: Duration.days(400) }, /dedupWindowSeconds/],
    ['an age objective below a minute', { ageObjective: Duration.seconds(30) }, /ageObjective: from 60 s to 14 days.*given 30 s/],
    ['an age objective beyond what a queue keeps', { ageObjective: Duration.days(15) }, /ageObjective: from 60 s to 14 days/],
    [
      'an age objective that is known only at deploy time',
      { ageObjective: Duration.seconds(Token.asNumber({ Ref: 'N' })) },
      /at synth time/,
    ],
    ['no attempts', { retry: { maxAttempts: 0 } }, /retry\.maxAttempts/],
    ['delays the wrong way round', { retry: { minDelaySeconds: 60, maxDelaySeconds: 1 } }, /must not exceed maxDelaySeconds/],
  ];
  it.each(cases)('%s', (_, props, message) => {
    expect(() => make(props)).toThrow(message);
  });

  it("a timeout below the function's own, for its lease would end too soon", () => {
    expect(() => make({ timeout: Duration.seconds(10) }, Duration.seconds(30))).toThrow(/at least the function's own, 30 s.*given 10 s/);
    expect(() => make({ timeout: Duration.seconds(2) })).toThrow(/at least the function's own, 3 s/);
  });

  it('an imported function without a timeout', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = LambdaFunction.fromFunctionName(stack, 'Imported', 'theirs');
    expect(() => new TaskType(stack, 'Thumbnail', { platform, handler })).toThrow(/timeout: must be given/);
  });

  it('an alias or a version, because it makes an alias of its own', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const fn = plainFunction(stack);
    for (const [id, qualified] of Object.entries({ Alias: fn.addAlias('live'), Version: fn.currentVersion })) {
      // CDK's declarations are not exact about optional properties.
      const handler = qualified as unknown as IFunction;
      expect(() => new TaskType(stack, id, { platform, handler })).toThrow(/give the function itself/);
    }
  });

  it('a name that another task type of the platform has', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const handler = plainFunction(stack);
    new TaskType(stack, 'Thumbnail', { platform, handler });
    expect(() => new TaskType(stack, 'Copy', { platform, handler, type: 'thumbnail' })).toThrow(
      /Sluice\/Thumbnail has the type "thumbnail" already/,
    );
  });

  it('a function that sends its outcomes to another platform', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const other = new TaskPlatform(stack, 'Other', { name: 'other', shards: 1 });
    const handler = plainFunction(stack);
    new TaskType(stack, 'Thumbnail', { platform, handler });
    expect(() => new TaskType(stack, 'Copy', { platform: other, handler })).toThrow(/a handler of Sluice\/Platform already/);
  });

  it('nothing that is known only at deploy time', () => {
    const { stack, platform } = makePlatform({ shards: 1 });
    const number = new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
    const type = new TaskType(stack, 'Thumbnail', {
      platform,
      handler: plainFunction(stack),
      concurrency: number,
      timeout: Duration.seconds(number),
      dedupWindow: Duration.seconds(number),
    });
    expect(type.type).toBe('thumbnail');
  });
});

function plainFunction(stack: Stack, timeout?: Duration): LambdaFunction {
  return new LambdaFunction(stack, 'Fn', {
    code: Code.fromInline('exports.handler = async () => 1'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    ...(timeout && { timeout }),
  });
}
