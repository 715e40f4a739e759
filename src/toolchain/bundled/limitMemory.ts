const memorySection = 5;
const pageBytes = 65536;

/**
 * Lowers, in place, the most memory that a module may have (WebAssembly core specification 2.0, 5.5.8). The number keeps its
 * width, which LEB128 allows; a module that says no maximum, or a lower one, stays as it is.
 */
export function limitMemory(module: Uint8Array, bytes: number): void {
	let at = 8;
	const number = () => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = module[at++] ?? 0;
			value += (byte & 0x7f) * 2 ** shift;
			if (byte < 0x80) return value;
		}
	};
	while (at < module.length) {
		const id = module[at++];
		const end = number() + at;
		if (id === memorySection && number() === 1) {
			const hasMaximum = ((module[at++] ?? 0) & 1) !== 0;
			number();
			const from = at;
			const most = Math.floor(bytes / pageBytes);
			if (!hasMaximum || number() <= most) return;
			for (let i = from, rest = most; i < at; i++, rest = Math.floor(rest / 128)) {
				module[i] = (rest % 128) | (i < at - 1 ? 0x80 : 0);
			}
			return;
		}
		at = end;
	}
}
