import { AIMD_DEFAULTS } from '../../../core/limits/aimd.ts';
import { zipf } from '../engine/chance.ts';
import { jain } from '../engine/metrics.ts';
import type { Source } from '../model/arrivals.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { runWay, type Built, type Parts, type RunRules } from '../run.ts';
import { oneFifo, roundRobin, sqsFair } from '../systems/disciplines.ts';
import { hashed, Pool } from '../systems/pool.ts';
import { Sluice } from '../systems/sluice.ts';

const OTHERS = 0;
const FLOOD = 1;
/** The tenant that floods: the first is the biggest. */
const OFFENDER = 0;
