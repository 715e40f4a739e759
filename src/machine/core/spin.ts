// Harts that spin without effect.

import { H_SPIN_REST } from "./layout";

// @ts-ignore: decorator
@inline
export function rests(h: usize): bool {
	return load<u32>(h, H_SPIN_REST) != 0;
}

export function spinCheck(h: usize): void {}
