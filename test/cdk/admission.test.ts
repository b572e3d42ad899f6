import { Duration, Lazy } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { admissionRules, type AdmissionProps } from '../../lib/admission.ts';

describe('the bounds of all tenants', () => {
  it('are handed on by the names of the contracts, and those that are absent do not bound', () => {
    expect(admissionRules({})).toEqual({});
    expect(admissionRules({ rate: 0.5, burst: 3, backlog: 10, maxAge: Duration.minutes(2) })).toEqual({
      rate: 0.5,
      burst: 3,
      backlog: 10,
      maxAgeSeconds: 120,
    });
  });

  it.each<[string, AdmissionProps]>([
    ['admission.rate: a number of tasks a second, more than 0; given 0', { rate: 0 }],
    ['admission.rate: a number of tasks a second, more than 0; given Infinity', { rate: Infinity }],
    ['admission.burst: a number of tasks, 1 or more; given 0.5', { rate: 1, burst: 0.5 }],
    ['admission.burst: it says nothing without a rate', { burst: 5 }],
    ['admission.backlog: a whole number of tasks, 1 or more; given 1.5', { backlog: 1.5 }],
    ['admission.maxAge: a time of 1 second or more; given 0', { maxAge: Duration.seconds(0) }],
    ['given a value that is known only at deploy time', { backlog: Lazy.number({ produce: () => 1 }) }],
  ])('are refused with what is allowed: %s', (message, props) => {
    expect(() => admissionRules(props)).toThrow(message);
  });
});
