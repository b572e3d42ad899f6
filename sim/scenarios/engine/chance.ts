import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Draws from a seed. Each source of chance of a scenario has its own, so that one more draw here changes nothing there. */
export interface Chance {
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  /** Uniform whole number in [0, below). */
  readonly below: (below: number) => number;
  /** Exponential with that mean. */
  readonly exponential: (mean: number) => number;
  /** Log-normal with that mean; `sigma` is the deviation of its logarithm. */
  readonly logNormal: (mean: number, sigma: number) => number;
}

export function chanceFrom(seed: number, source: string): Chance {
  const generator = xoroshiro128plus(seed ^ nameHash(source));
  for (let n = 0; n < 8; n++) generator.next();
  const fraction = (): number => (generator.next() >>> 0) / 4_294_967_296;
  return {
    fraction,
    below: (below) => Math.floor(fraction() * below),
    exponential: (mean) => -mean * Math.log(1 - fraction()),
    logNormal: (mean, sigma) => {
      // Box and Muller 1958.
      const normal = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction());
      return mean * Math.exp(sigma * normal - (sigma * sigma) / 2);
    },
  };
}

function nameHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Tenants by size: the n-th is drawn with a probability in proportion to n^-exponent (Zipf), by the alias method (Walker 1977). */
export function zipf(
  count: number,
  exponent: number,
): { readonly draw: (chance: Chance) => number; readonly share: (n: number) => number } {
  const weights = Float64Array.from({ length: count }, (_, n) => (n + 1) ** -exponent);
  const sum = weights.reduce((a, b) => a + b, 0);
  const keep = weights.map((w) => (w * count) / sum);
  const alias = new Int32Array(count);
  const small: number[] = [];
  const large: number[] = [];
  keep.forEach((k, n) => (k < 1 ? small : large).push(n));
  while (small.length > 0 && large.length > 0) {
    const less = small.pop()!;
    const more = large.at(-1)!;
    alias[less] = more;
    keep[more] = keep[more]! - (1 - keep[less]!);
    if (keep[more] < 1) small.push(large.pop()!);
  }
  for (const n of [...small, ...large]) keep[n] = 1;
  return {
    draw: (chance) => {
      const n = chance.below(count);
      return chance.fraction() < keep[n]! ? n : alias[n]!;
    },
    share: (n) => weights[n]! / sum,
  };
}
