// What ends a wait: an interrupt that is enabled, and the next event in time.

import { CLINT_MTIMECMP, H_MENVCFG, H_MIE, H_MIP, H_STIMECMP, M_DEVICE_TIME, M_TIME } from "./layout";
import { NEVER, hartAt, hartCount } from "./hart";
import { MENVCFG_STCE } from "./clint";

/** wfi ends when an enabled interrupt is pending, whatever the global enables say (privileged ISA 3.3.3). */
// @ts-ignore: decorator
@inline
export function wakes(h: usize): bool {
	return (load<u64>(h, H_MIP) & load<u64>(h, H_MIE)) != 0;
}

function earlier(best: u64, candidate: u64): u64 {
	return candidate > load<u64>(M_TIME) && candidate < best ? candidate : best;
}

export function nextEventTime(): u64 {
	let best = earlier(NEVER, load<u64>(M_DEVICE_TIME));
	for (let i: u32 = 0; i < hartCount(); i++) {
		const h = hartAt(i);
		best = earlier(best, load<u64>(CLINT_MTIMECMP + (i << 3)));
		if (load<u64>(h, H_MENVCFG) & MENVCFG_STCE) best = earlier(best, load<u64>(h, H_STIMECMP));
	}
	return best;
}
