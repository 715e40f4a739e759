import { deflateRawSync, gzipSync } from "node:zlib";
import { concat, utf8 } from "../../src/common/bytes.ts";
import { crc32 } from "../../src/grade/class/archive/zip.ts";

/** Archives as a test wants them, right or wrong. */

export interface ZipEntry {
	readonly name: string;
	readonly bytes: Uint8Array;
	/** Unix mode with its type; default: a regular file. */
	readonly mode?: number;
	readonly stored?: boolean;
	/** Says so instead of the truth. */
	readonly size?: number;
	readonly crc?: number;
	readonly flags?: number;
	/** Ready-made deflated data of `bytes`. */
	readonly packed?: Uint8Array;
}

export function zip(entries: readonly ZipEntry[]): Uint8Array {
	const parts: Uint8Array[] = [];
	const central: Uint8Array[] = [];
	let at = 0;
	for (const entry of entries) {
		const name = utf8(entry.name);
		const data = entry.packed ?? (entry.stored ? entry.bytes : new Uint8Array(deflateRawSync(entry.bytes)));
		const size = entry.size ?? entry.bytes.length;
		const crc = entry.crc ?? crc32(entry.bytes);
		const shared = fields([
			[2, entry.flags ?? 0],
			[2, entry.stored ? 0 : 8],
			[4, 0],
			[4, crc],
			[4, data.length],
			[4, size],
			[2, name.length],
			[2, 0],
		]);
		const local = concat([
			fields([
				[4, 0x04034b50],
				[2, 20],
			]),
			shared,
			name,
			data,
		]);
		central.push(
			concat([
				fields([
					[4, 0x02014b50],
					[1, 20],
					[1, 3],
					[2, 20],
				]),
				shared,
				fields([
					[2, 0],
					[2, 0],
					[2, 0],
					[4, ((entry.mode ?? 0o100644) << 16) >>> 0],
					[4, at],
				]),
				name,
			]),
		);
		parts.push(local);
		at += local.length;
	}
	const directory = concat(central);
	const end = fields([
		[4, 0x06054b50],
		[4, 0],
		[2, entries.length],
		[2, entries.length],
		[4, directory.length],
		[4, at],
		[2, 0],
	]);
	return concat([...parts, directory, end]);
}

function fields(list: readonly (readonly [size: number, value: number])[]): Uint8Array {
	const bytes: number[] = [];
	for (const [size, value] of list) for (let i = 0; i < size; i++) bytes.push((value / 2 ** (8 * i)) & 0xff);
	return Uint8Array.from(bytes);
}

export interface TarEntry {
	readonly name: string;
	readonly bytes?: Uint8Array;
	/** `0` a file, `1` `2` links, `3` `4` `6` devices and pipes, `5` a folder, `x` `L` extensions. */
	readonly type?: string;
	readonly target?: string;
}

export function tar(entries: readonly TarEntry[]): Uint8Array {
	const parts = entries.flatMap(({ name, bytes = new Uint8Array(), type = "0", target = "" }) => {
		const path = utf8(name);
		const long =
			path.length > 100 ? [header("././@LongLink", path.length + 1, "L", ""), padded(concat([path, utf8("\0")]))] : [];
		return [...long, header(name, bytes.length, type, target), padded(bytes)];
	});
	return concat([...parts, new Uint8Array(1024)]);
}

export function tarGz(entries: readonly TarEntry[]): Uint8Array {
	return new Uint8Array(gzipSync(tar(entries)));
}

function padded(bytes: Uint8Array): Uint8Array {
	const whole = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
	whole.set(bytes);
	return whole;
}

function header(name: string, size: number, type: string, target: string): Uint8Array {
	const block = new Uint8Array(512);
	const put = (at: number, text: string) => block.set(utf8(text).subarray(0, 100), at);
	put(0, name);
	put(100, "0000644\0");
	put(124, `${size.toString(8).padStart(11, "0")}\0`);
	put(136, "00000000000\0");
	put(148, "        ");
	put(156, type);
	put(157, target);
	put(257, "ustar\u000000");
	const sum = block.reduce((total, byte) => total + byte, 0);
	put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
	return block;
}
