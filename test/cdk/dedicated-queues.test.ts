import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { DEFAULT_ROUTING_SETTINGS } from '../../core/routing/settings.ts';
import { settingsOf } from '../../lib/pool/dedicated.ts';
import { makePlatform, resourcesOf } from './synth.ts';

describe('queues of single tenants', () => {
  it('are decided upon by the same defaults as the pure decision has', () => {
    expect(DEFAULT_ROUTING_SETTINGS).toMatchObject(settingsOf({}));
  });

  it('are set by props', () => {
    const dedicatedQueues = { max: 3, busyDepth: 50, promoteAfter: Duration.seconds(10), demoteAfter: Duration.minutes(2) };
    const { stack } = makePlatform({ dedicatedQueues });
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'sluice-control',
      Environment: {
        Variables: Match.objectLike({
          SLUICE_ROUTING: '{"maxDedicated":3,"busyDepth":50,"promoteAfterMs":10000,"demoteAfterMs":120000}',
        }),
      },
    });
  });

  it.each([
    [{ max: 101 }, 'dedicatedQueues.max: a whole number from 0 to 100; given 101'],
    [{ busyDepth: 9 }, 'dedicatedQueues.busyDepth: a whole number from 10 to 1000000; given 9'],
    [{ promoteAfter: Duration.hours(2) }, 'dedicatedQueues.promoteAfter: a whole number from 0 to 3600000 ms; given 7200000 ms'],
    [{ demoteAfter: Duration.days(2) }, 'dedicatedQueues.demoteAfter: a whole number from 0 to 86400000 ms; given 172800000 ms'],
  ])('refuse %j', (dedicatedQueues, message) => {
    expect(() => makePlatform({ dedicatedQueues })).toThrow(message);
  });

  it('go with the stack: what makes them is deleted before they are cleaned up', () => {
    const { stack } = makePlatform({});
    const [cleanUp] = resourcesOf(stack, 'Custom::SluiceDedicatedQueues');
    const schedules = resourcesOf(stack, 'AWS::Scheduler::Schedule');
    const { DependsOn: before } = (schedules.find(({ resource }) => JSON.stringify(resource).includes('control'))?.resource ?? {}) as {
      DependsOn?: string[];
    };
    expect(cleanUp).toBeDefined();
    expect(before?.some((id) => id.includes('DedicatedQueues'))).toBe(true);
    const { DependsOn: grants } = cleanUp?.resource as { DependsOn?: string[] };
    expect(grants?.some((id) => id.includes('controlRoleDefaultPolicy'))).toBe(true);
  });
});
