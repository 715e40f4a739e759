import type { Random } from "../support/random.ts";

/** Values where readers of sizes, counts and offsets go wrong. */
const numbers = [0, 1, 7, 8, 127, 128, 255, 4095, 4096, 32767, 65535, 0x7fffffff, 0x80000000, 0xffffffff];

export interface Span {
	readonly from: number;
	readonly to: number;
}

/** A copy of a file with a few of its bytes damaged, within a span where one is given; without one it may be cut, too. */
export function damageBytes(random: Random, original: Uint8Array, span?: Span): Uint8Array {
	const bytes = original.slice();
	const view = new DataView(bytes.buffer);
	const { from, to } = span ?? { from: 0, to: bytes.length };
	if (to <= from) return bytes;
	const place = (length: number) => from + random.below(Math.max(1, to - from - length + 1));
	for (let left = 1 + random.below(8); left > 0; left--) {
		const kind = random.below(6);
		const at = place(8);
		if (kind === 0) view.setUint8(at, view.getUint8(at) ^ (1 << random.below(8)));
		else if (kind === 1) view.setUint8(at, random.below(256));
		else if (kind === 2 && at + 4 <= to) view.setUint32(at, random.pick(numbers), true);
		else if (kind === 3 && at + 8 <= to)
			view.setBigUint64(at, random.chance(2) ? random.u64() : BigInt(random.pick(numbers)), true);
		else if (kind === 4) {
			const length = Math.min(1 + random.below(64), to - at);
			bytes.copyWithin(at, place(length), place(length) + length);
		} else bytes.fill(random.pick([0, 0xff]), at, Math.min(to, at + 1 + random.below(64)));
	}
	return span === undefined && random.chance(8) ? bytes.slice(0, random.below(bytes.length)) : bytes;
}

/** A text with lines lost, doubled, moved or cut, and pieces of its language put anywhere, now and then very often. */
export function damageText(random: Random, original: string, pieces: readonly string[]): string {
	const lines = original.split("\n");
	for (let left = 1 + random.below(4); left > 0; left--) {
		if (lines.length === 0) lines.push("");
		const at = random.below(lines.length);
		const line = lines[at] ?? "";
		const column = random.below(line.length + 1);
		const piece = random.pick(pieces);
		switch (random.below(6)) {
			case 0:
				lines.splice(at, 1);
				break;
			case 1:
				lines.splice(at, 0, line);
				break;
			case 2:
				lines.splice(random.below(lines.length), 0, ...lines.splice(at, 1));
				break;
			case 3:
				lines[at] = line.slice(0, column);
				break;
			case 4:
				lines[at] = line.slice(0, column) + piece + line.slice(column);
				break;
			default:
				lines[at] = line.slice(0, column) + piece.repeat(random.pick([2, 100, 20_000])) + line.slice(column);
		}
	}
	return lines.join("\n");
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const odd: readonly Json[] = [
	null,
	true,
	0,
	-1,
	0.5,
	1e308,
	2 ** 53,
	"",
	"0x",
	"../../x",
	"(((((a+)+)+)+)+)+$",
	"\u0000\u001b]0;x\u0007\u202e",
	"x".repeat(70_000),
	[],
	{},
	{ constructor: 1, toString: null },
];

/** Data with one to three of its places changed, gone, doubled, or nested deeply. */
export function damageJson(random: Random, value: Json): Json {
	let out = value;
	for (let left = 1 + random.below(3); left > 0; left--) out = damageOnce(random, out);
	return out;
}

function damageOnce(random: Random, value: Json): Json {
	const isHere = typeof value !== "object" || value === null || random.chance(6);
	if (isHere) {
		if (!random.chance(12)) return random.pick(odd);
		let nested: Json = value;
		for (let depth = 0; depth < 2000; depth++) nested = depth % 2 === 0 ? [nested] : { a: nested };
		return nested;
	}
	if (Array.isArray(value)) {
		const list = [...(value as readonly Json[])];
		if (list.length === 0) return random.pick(odd);
		const at = random.below(list.length);
		const item = list[at] as Json;
		const kind = random.below(4);
		if (kind === 0) list.splice(at, 1);
		else if (kind === 1) list.push(item);
		else list[at] = damageOnce(random, item);
		return list;
	}
	const entries = Object.entries(value as { readonly [name: string]: Json });
	if (entries.length === 0) return random.pick(odd);
	const at = random.below(entries.length);
	const [name, item] = entries[at] as [string, Json];
	const kind = random.below(5);
	if (kind === 0) entries.splice(at, 1);
	else if (kind === 1) entries[at] = [random.pick(["__proto__", "constructor", "kind", "x"]), item];
	else entries[at] = [name, damageOnce(random, item)];
	return Object.fromEntries(entries);
}
