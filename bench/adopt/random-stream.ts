import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** Random numbers that depend on nothing but the name of their stream. */
export class RandomStream {
  private readonly generator;

  constructor(name: string) {
    const digest = createHash('sha256').update(name).digest();
    this.generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  }

  /** Evenly distributed between 0 and 1, never either of them. */
  uniform(): number {
    return ((this.generator.next() >>> 0) + 0.5) / 2 ** 32;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** Student's t with 4 degrees of freedom, scaled to a standard deviation of 1. */
  heavyTailed(): number {
    // χ² with 4 degrees is twice the sum of two exponentials; the variance of t with 4 degrees is 2
    const chiSquare = 2 * (this.exponential(1) + this.exponential(1));
    return this.normal() / Math.sqrt(chiSquare / 4) / Math.SQRT2;
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }
}
