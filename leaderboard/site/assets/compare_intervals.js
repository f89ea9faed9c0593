// How sure a difference between two runs is: the formulas of copycat.metrics, for any two runs that somebody chooses.
const copycatIntervals = (() => {
  "use strict";
  // As in copycat/metrics/effective.py, which says why.
  const FEW_CHANGED = 5, ASSUMED_CORRELATION = 0.7, SAME_MEAN = 0.1;
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /** Two-sided exact sign test: how probable is a split as uneven as `more` against `less`, were both as likely. */
  function signTest(more, less) {
    const n = more + less;
    let term = 2 ** -n, tail = 0;
    for (let i = 0; i <= Math.min(more, less); i++) {
      tail += term;
      term *= (n - i) / (i + 1);
    }
    return Math.min(1, 2 * tail);
  }

  /** Share of Student's t between -t and t, for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4). */
  function shareWithin(t, degrees) {
    const angle = Math.atan(t / Math.sqrt(degrees)), cosine = Math.cos(angle), isOdd = degrees % 2 === 1;
    let term = isOdd ? cosine : 1, series = 0;
    for (let k = isOdd ? 3 : 2; k <= degrees; k += 2) {
      series += term;
      term *= cosine ** 2 * (k - 1) / k;
    }
    return isOdd ? 2 / Math.PI * (angle + Math.sin(angle) * series) : Math.sin(angle) * series;
  }

  /** The 97.5 % point of Student's t. */
  function tQuantile(degrees) {
    const whole = Math.max(degrees, 1);
    let low = 0, high = 13;
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (shareWithin(middle, whole) < 0.95) low = middle; else high = middle;
    }
    return low;
  }

  /** Round as Python does: a half goes to the even number. */
  function rounded(value) {
    const nearest = Math.round(value);
    return Math.abs(value % 1) === 0.5 && nearest % 2 ? nearest - 1 : nearest;
  }

  /** How many groups are off the most common mean. */
  function countOff(means) {
    const levels = new Map();
    for (const value of means) levels.set(rounded(value / SAME_MEAN), (levels.get(rounded(value / SAME_MEAN)) ?? 0) + 1);
    const most = Math.max(...levels.values());
    const usual = Math.min(...[...levels].filter(([, count]) => count === most).map(([level]) => level)) * SAME_MEAN;
    return means.filter((value) => Math.abs(value - usual) > SAME_MEAN).length;
  }

  function tangoLimit(rose, fell, n, quantile, inside, outside) {
    for (let i = 0; i < 60; i++) {
      const middle = (inside + outside) / 2;
      const b = (2 * n - rose + fell) * middle - rose - fell, c = -fell * middle * (1 - middle);
      const shareFell = (Math.sqrt(Math.max(0, b * b - 8 * n * c)) - b) / (4 * n);
      const variance = n * (2 * shareFell + middle * (1 - middle));
      if ((rose - fell - n * middle) ** 2 <= quantile ** 2 * variance) inside = middle; else outside = middle;
    }
    return inside;
  }

  /** How many independent pairs the pairs are worth. */
  function effectivePairs(groups, variance, ofOne) {
    const sizes = groups.map((group) => group.length), n = sum(sizes), usual = sum(sizes.map((size) => size * size)) / n;
    let effect = ofOne > 0 ? Math.min(Math.max(variance * n / ofOne, 1), usual) : 1;
    if (groups.filter((group) => group.some((value) => value !== 0)).length < FEW_CHANGED) effect = Math.max(effect, 1 + (usual - 1) * ASSUMED_CORRELATION);
    return n / effect;
  }

  /**
   * The 95 % interval of the mean of b minus a, counting characters: `paired_difference` of copycat/metrics/intervals.py.
   * Pairs are [character, value in A, value in B], values from 0 to 1; null of none.
   */
  function pairedInterval(pairs) {
    if (!pairs.length) return null;
    const byCharacter = new Map();
    for (const [character, a, b] of pairs) byCharacter.set(character, [...(byCharacter.get(character) ?? []), b - a]);
    const groups = [...byCharacter.values()], changes = groups.flat(), n = changes.length, count = groups.length;
    const mean = sum(changes) / n, quantile = tQuantile(count - 1);
    const variance = sum(groups.map((group) => (sum(group) - group.length * mean) ** 2)) * count / Math.max(count - 1, 1) / n ** 2;
    const rose = sum(changes.filter((change) => change > 0)) / n, fell = -sum(changes.filter((change) => change < 0)) / n;
    const isBinary = pairs.every(([, a, b]) => [a, b].every((value) => value === 0 || value === 1));
    if (!isBinary && countOff(groups.map((group) => sum(group) / group.length)) >= FEW_CHANGED) {
      const half = quantile * Math.sqrt(variance);
      return [Math.max(-1, mean - half), Math.min(1, mean + half)];
    }
    const worth = isBinary ? effectivePairs(groups, variance, rose + fell - mean ** 2) : count;
    return [-1, 1].map((outside) => tangoLimit(rose * worth, fell * worth, worth, quantile, rose - fell, outside));
  }

  return { signTest, tQuantile, pairedInterval };
})();
