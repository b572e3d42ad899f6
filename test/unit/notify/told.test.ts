import { notifySchema, TASK_STATES, TERMINAL_STATES, type Notify, type TypeNotify } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { flawOfAddress } from '../../../core/notify/address.ts';
import { flawOfUrl } from '../../../core/notify/check-url.ts';
import { toldOf } from '../../../core/notify/told.ts';
import { effectsWith } from '../../../core/settle/effects-of.ts';
import { rowOf, T0 } from '../../helpers/samples.ts';
import { typeSpec } from '../../helpers/world.ts';

const webhook = { url: 'https://example.com/a' };
const queue = { name: 'ends' };
const DAY = 86_400_000;

/** For each terminal state: `e` for an event, and the receivers. */
function told(ofType: TypeNotify | undefined, own?: Notify, type = 'echo'): Record<string, string> {
  const of = (state: (typeof TASK_STATES)[number]) => {
    const { event, receivers } = toldOf({ type, state, ...(own && { notify: own }) }, ofType);
    return [event ? 'e' : '', ...receivers.map((to) => ('webhook' in to ? to.webhook : to.queue))].filter(Boolean).join(' ');
  };
  return Object.fromEntries(TASK_STATES.map((state) => [state, of(state)] as const).filter(([, what]) => what !== ''));
}
const everywhere = (what: string) => Object.fromEntries(TERMINAL_STATES.map((state) => [state, what]));

describe('what is told of an end', () => {
  it.each<[string, TypeNotify | undefined, Notify | undefined, Record<string, string>]>([
    ['failures alone where nobody says otherwise', undefined, undefined, { failed: 'e', expired: 'e', cancelled: 'e' }],
    ['all of it where the type asks for it', { events: [...TERMINAL_STATES] }, undefined, everywhere('e')],
    ['nothing where the type wants nothing', { events: [] }, undefined, {}],
    ["what the task says in its type's place", { events: [] }, { events: ['succeeded'] }, { succeeded: 'e' }],
    ['every end to a webhook', { events: [], webhook }, undefined, everywhere('https://example.com/a')],
    ['some ends to a webhook', { events: [], webhook: { ...webhook, on: ['failed'] } }, undefined, { failed: 'https://example.com/a' }],
    [
      "the task's webhook in place of its type's",
      { events: [], webhook },
      { webhook: { url: 'https://b', on: ['expired'] } },
      { expired: 'https://b' },
    ],
    ["no webhook where the task takes its type's away", { events: [], webhook, queue }, { webhook: null }, everywhere('ends')],
    ["no queue where the task takes its type's away", { events: [], webhook, queue }, { queue: null }, everywhere('https://example.com/a')],
    [
      'both',
      { events: [], webhook },
      { queue: { ...queue, on: ['cancelled'] } },
      { ...everywhere('https://example.com/a'), cancelled: 'https://example.com/a ends' },
    ],
    [
      'events beside a webhook',
      undefined,
      { webhook: { ...webhook, on: ['succeeded'] } },
      { succeeded: 'https://example.com/a', failed: 'e', expired: 'e', cancelled: 'e' },
    ],
  ])('is %s', (_, ofType, own, expected) => {
    expect(told(ofType, own)).toEqual(expected);
  });

  it("is of the platform's own tasks their failures alone, whatever is said", () => {
    const all = { events: [...TERMINAL_STATES], webhook, queue };
    expect(told(all, all, 'sluice.notify')).toEqual({ failed: 'e', expired: 'e', cancelled: 'e' });
  });

  it('is not delivered anew when an id is freed long after its end', () => {
    const row = rowOf({ state: 'failed', endedAt: T0 });
    const spec = typeSpec('echo', { notify: { webhook } });
    expect(effectsWith(spec, row, T0 + 13 * DAY - 1)).toMatchObject({
      event: { state: 'failed' },
      deliveries: [{ to: { webhook: webhook.url } }],
    });
    expect(effectsWith(spec, row, T0 + 13 * DAY)).not.toHaveProperty('deliveries');
  });
});

describe('what a submission may say', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a webhook', { webhook }, undefined],
    ['a webhook for some ends', { webhook: { ...webhook, on: ['failed', 'expired'] } }, undefined],
    ['nothing', {}, undefined],
    ['http', { webhook: { url: 'http://example.com' } }, 'absolute https:// URL'],
    ['a password', { webhook: { url: 'https://u:p@example.com' } }, 'without user or password'],
    ['a fragment', { webhook: { url: 'https://example.com/#a' } }, 'fragment'],
    ['letters beyond ASCII', { webhook: { url: 'https://exämple.com' } }, 'ASCII'],
    ['no host', { webhook: { url: 'https://:443/' } }, 'absolute https:// URL'],
    ['no state', { webhook: { ...webhook, on: [] } }, 'name at least one state'],
    ['a state twice', { events: ['failed', 'failed'] }, 'named twice'],
    ['a state that is no end', { events: ['running'] }, 'Invalid option'],
    ['a name with a slash', { queue: { name: 'a/b' } }, 'notificationQueues'],
    ['a channel that is not there', { email: 'a@b' }, 'Unrecognized key'],
  ])('%s', (_, notify, flaw) => {
    const messages = notifySchema
      .safeParse(notify)
      .error?.issues.map(({ message }) => message)
      .join(' ');
    if (flaw === undefined) expect(messages).toBeUndefined();
    else expect(messages).toContain(flaw);
  });
});

describe('an address that webhooks must not go to', () => {
  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.254',
    '127.0.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '169.254.170.2',
    '169.254.100.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '4000::1',
    'no-address',
    '',
  ])('%s', (address) => {
    expect(flawOfAddress(address)).toEqual(expect.any(String));
  });

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.0.1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('is not %s', (address) => {
    expect(flawOfAddress(address)).toBeUndefined();
  });
});

describe('a URL that webhooks must not go to', () => {
  const rules = { ports: [443, 8443], hosts: ['127.0.0.1', 'hooks.internal', '::1'] };

  it.each([
    ['http://example.com/', 'not https'],
    ['nonsense', 'no URL'],
    ['https://example.com:9001/', 'port 9001'],
    ['https://10.0.0.1/', 'an address and not a name'],
    // As WHATWG's URL reads them: octal, hexadecimal and whole numbers are addresses too.
    ['https://0x7f.1/', undefined],
    ['https://2130706434/', 'an address and not a name'],
    ['https://0251.0376.0251.0376/', 'an address and not a name'],
    // A public one as well: certificates are for names, and where a name leads is checked when it is connected to.
    ['https://8.8.8.8/', 'an address and not a name'],
    ['https://[fd00:ec2::254]/', 'an address and not a name'],
    ['https://[::ffff:7f00:2]/', 'an address and not a name'],
    ['https://localhost/', 'no public name'],
    ['https://a.localhost./', 'no public name'],
    ['https://instance-data.ec2.internal/', 'no public name'],
    ['https://printer.local/', 'no public name'],
    ['https://example.com/', undefined],
    ['https://example.com:8443/', undefined],
    ['https://localhost.example.com/', undefined],
    // What the operator has opened, on any port.
    ['https://127.0.0.1:9443/', undefined],
    ['https://[::1]:1/', undefined],
    ['https://HOOKS.internal/', undefined],
  ])('%s', (url, flaw) => {
    const said = flawOfUrl(url, rules);
    if (flaw === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(flaw.replace('no public name', 'is not a public name'));
  });

  it('is no other port or address of a host that the operator has not opened', () => {
    expect(flawOfUrl('https://127.0.0.1/', { ports: [443], hosts: [] })).toContain('an address and not a name');
    expect(flawOfUrl('https://127.0.0.2/', rules)).toContain('an address and not a name');
  });
});
