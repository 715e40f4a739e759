export interface CpioEntry {
	readonly name: string;
	/** As in stat: type and permissions. */
	readonly mode: number;
	readonly bytes?: Uint8Array;
	/** Of a device file. */
	readonly device?: readonly [major: number, minor: number];
}

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** An archive as Linux takes it for its initial RAM disk (Documentation/driver-api/early-userspace/buffer-format.rst, "newc"). */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
	const all: readonly CpioEntry[] = [...entries, { name: "TRAILER!!!", mode: 0 }];
	const parts = all.map(({ name, mode, bytes = new Uint8Array(0), device = [0, 0] }) => {
		const fields = [1, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length + 1, 0];
		const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
		return Buffer.concat([padded(Buffer.from(head)), padded(bytes)]);
	});
	return Buffer.concat(parts);
}
