/**
 * Takes `most` of some amounts, so that every one's expectation is what it was: those of at least τ as they are, smaller
 * ones as τ with probability x / τ, where τ is such that `most` are expected (threshold sampling: N. Duffield, C. Lund and
 * M. Thorup, "Learn more, sample less", IEEE Trans. Information Theory 2005). Drawn systematically, it is `most` exactly.
 * The variance that this adds to the sum of any of them is at most τ times that sum.
 *
 * @param fraction uniform in [0, 1)
 * @returns the index of each that is taken, with the factor that its amount is to be multiplied by
 */
export function thin(amounts: readonly number[], most: number, fraction: number): readonly { index: number; factor: number }[] {
  if (amounts.length <= most) return amounts.map((_, index) => ({ index, factor: 1 }));
  const order = amounts.map((_, index) => index).sort((a, b) => (amounts[b] ?? 0) - (amounts[a] ?? 0));
  let left = amounts.reduce((sum, amount) => sum + amount, 0);
  let kept = 0;
  const tau = (): number => left / (most - kept);
  while (kept < most - 1 && (amounts[order[kept] ?? 0] ?? 0) >= tau()) {
    left -= amounts[order[kept] ?? 0] ?? 0;
    kept += 1;
  }
  const threshold = tau();
  const taken = order.slice(0, kept).map((index) => ({ index, factor: 1 }));
  let passed = fraction * threshold;
  for (const index of order.slice(kept)) {
    const amount = amounts[index] ?? 0;
    passed += amount;
    if (amount <= 0 || passed < threshold) continue;
    passed -= threshold;
    taken.push({ index, factor: threshold / amount });
  }
  return taken;
}
