import { describe, expect, it } from 'vitest';
import { logPointer } from '../../../core/outcomes/log-pointer.ts';
import { outcomeOfRecord } from '../../../core/outcomes/record.ts';
import { recordSample } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:echo:sluice';

describe('the log pointer of an attempt', () => {
  it.each([
    ['in the log group that Lambda makes', { kind: 'lambda' as const, arn: ARN }, '/aws/lambda/echo'],
    ['in the one that the function was given', { kind: 'lambda' as const, arn: ARN, logGroup: 'app-Log' }, 'app-Log'],
  ])('is %s', (_, handler, group) => {
    expect(logPointer(typeSpec('echo', { handler }), 'r1')).toEqual({ group, requestId: 'r1' });
  });

  it('is not made up where nothing is known', () => {
    expect(logPointer(undefined, 'r1')).toBeUndefined();
    expect(logPointer(typeSpec('echo'), undefined)).toBeUndefined();
    expect(logPointer(typeSpec('echo', { handler: { kind: 'lambda', arn: '-' } }), 'r1')).toBeUndefined();
  });

  it('is there for an attempt that ran, and not for one that Lambda never started', () => {
    const requestContext = { requestId: 'r1', functionArn: ARN, condition: 'RetriesExhausted', approximateInvokeCount: 1 };
    expect(outcomeOfRecord(recordSample({ requestContext }), 0).requestId).toBe('r1');
    const aged = { ...requestContext, condition: 'EventAgeExceeded' };
    expect(outcomeOfRecord(recordSample({ requestContext: aged }), 0).requestId).toBeUndefined();
  });

  it.each(['event', 'wait'] as const)('is kept with every failure of a type with the %s starter', async (start) => {
    const world = createWorld({ types: [typeSpec('echo', { start })], handlers: { echo: () => Promise.reject(new Error('no')) } });
    await world.submit('a', { type: 'echo', id: 't' });
    await world.run();
    const { uid } = await world.row('a', 't');
    const kept = await world.tasks.attempts('a', 't', uid);
    expect(kept.map(({ log }) => log)).toEqual(['r1', 'r2', 'r3'].map((requestId) => ({ group: '/aws/lambda/echo', requestId })));
  });
});
