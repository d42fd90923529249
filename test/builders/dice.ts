import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Random numbers that are the same on every machine. */
export class Dice {
  private readonly bits;
  constructor(seed: number) {
    this.bits = xoroshiro128plus(seed);
  }
  uniform(): number {
    return ((this.bits.next() >>> 0) + 0.5) / 2 ** 32;
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }
}
