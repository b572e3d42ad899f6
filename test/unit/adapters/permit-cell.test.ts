import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cellOf } from '../../../adapters/aws/permit-cell.ts';

const item = JSON.parse(readFileSync(new URL('../../fixtures/lane-cell.v1.json', import.meta.url), 'utf8')) as Record<string, unknown>;
const SETS = ['permits', 'wl', 'wc'];
const stored = Object.fromEntries(
  Object.entries(item).map(([name, value]) => [name, SETS.includes(name) ? new Set(value as unknown[]) : value]),
);

describe('a lane cell that an earlier deploy wrote', () => {
  it('is read whole', () =>
    expect(cellOf(stored)).toMatchInlineSnapshot(`
    {
      "aimd": {
        "at": 1767240440064,
        "base": 0,
        "cutAt": 1767240440064,
        "flight": 8,
        "good": 200,
        "lag": 1000,
        "late": 2,
        "limit": 12,
        "most": 0,
        "pause": 0,
        "round": 3,
        "since": 1767240440064,
        "slow": 0,
        "spent": 0,
        "step": 1,
        "top": 40,
      },
      "aliveAt": 1767225600000,
      "attendedUntil": 1767225600250,
      "budget": {
        "base": {
          "at": 1767240440064,
          "firsts": 100,
          "retries": 9,
        },
        "firsts": 120,
        "next": {
          "at": 1767240500064,
          "firsts": 114,
          "retries": 10,
        },
        "retries": 11,
      },
      "cells": 2,
      "cleared": 5,
      "good": 200,
      "held": 81000,
      "line": [
        "acme",
        "globex",
      ],
      "permits": [
        {
          "expiry": 1781779700000,
          "nonce": "a1B2c3D4",
        },
        {
          "expiry": 1781779744000,
          "nonce": "e5F6g7H8",
        },
      ],
      "raised": 7,
      "seen": {
        "high": 1767225599000,
        "low": 1767225500000,
      },
      "share": {
        "cells": 2,
        "closed": true,
        "each": 4,
        "share": 30,
        "version": 9,
      },
      "tats": [
        1767225601000,
        1767225690000,
      ],
      "turns": 33,
      "waiting": {
        "cleared": 3,
        "raised": 3,
      },
      "waits": [
        "normal",
        "low",
      ],
      "wakeAt": 1767225660000,
      "wanted": 1,
    }
  `));
  it('begins anew where it has nothing', () => expect(cellOf({})).toEqual({ permits: [], raised: 0, cleared: 0 }));
});
