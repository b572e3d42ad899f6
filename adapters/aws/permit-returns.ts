import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { PermitStore } from '../../core/ports/permit-store.ts';
import { cellOf, createCellCalls, type PermitStoreConfig } from './permit-cell.ts';
import { textOfPermit } from './permit-codec.ts';

/** What is needed to give permits back, and no more: for functions that take none, whose bundle stays smaller by the rest. */
export function createPermitReturns(
  client: DynamoDBDocumentClient,
  config: PermitStoreConfig,
): Pick<PermitStore, 'release' | 'wake' | 'called'> {
  const { read, update, change } = createCellCalls(client, config);
  return {
    release: async (lane, cell, permits, { aliveAt, good = 0, held = 0 } = {}) => {
      // A set in an expression has at least one element.
      if (permits.length === 0) return cellOf(await read(lane, cell));
      const clauses = [
        'DELETE permits :permits',
        ...(aliveAt === undefined ? [] : ['SET ok = :ok']),
        ...(good > 0 ? ['ADD g :g, gh :gh'] : []),
      ];
      return update(lane, cell, clauses.join(' '), {
        ':permits': new Set(permits.map(textOfPermit)),
        ...(aliveAt !== undefined && { ':ok': Math.floor(aliveAt / 1000) }),
        ...(good > 0 && { ':g': good, ':gh': held }),
      });
    },
    called: async (pool, cell, tenants) => {
      if (tenants.length > 0) await update(pool, cell, 'DELETE wl :tenants', { ':tenants': new Set(tenants) });
    },
    wake: async (lane, at, now) => {
      const answer = await change('note when rates go on', lane, 0, {
        set: ['wk = :at'],
        add: [],
        // Later than asked for is too late; what is past has been told.
        conditions: ['(attribute_not_exists(wk) OR wk <= :now OR wk > :at)'],
        values: { ':at': at, ':now': now },
      });
      return answer.met;
    },
  };
}
