/** xorshift128+: a seed gives one sequence on every host, so that a failing random test can be run again. */
export class Random {
	private a: bigint;
	private b: bigint;

	constructor(seed: number | bigint) {
		this.a = (BigInt(seed) * 0x9e3779b97f4a7c15n + 0x1234567n) & mask64;
		this.b = (this.a ^ 0xd1b54a32d192ed03n) & mask64;
		for (let i = 0; i < 8; i++) this.u64();
	}

	u64(): bigint {
		let x = this.a;
		const y = this.b;
		this.a = y;
		x ^= (x << 23n) & mask64;
		this.b = x ^ y ^ (x >> 17n) ^ (y >> 26n);
		return (this.b + y) & mask64;
	}

	/** 0 <= result < n, n up to 2^32 */
	below(n: number): number {
		return Number((this.u64() >> 16n) % BigInt(n));
	}

	pick<T>(items: readonly T[]): T {
		return items[this.below(items.length)] as T;
	}

	chance(outOf: number): boolean {
		return this.below(outOf) === 0;
	}
}

const mask64 = (1n << 64n) - 1n;
