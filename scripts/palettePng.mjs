// A screenshot of text and lines has few colours: as a palette PNG it is a half or a third as large.
import * as zlib from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const most = 256;

function* chunks(png) {
	for (let at = signature.length; at < png.length; ) {
		const length = png.readUInt32BE(at);
		yield { type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) };
		at += length + 12;
	}
}

function chunk(type, data) {
	const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
	const whole = Buffer.alloc(body.length + 8);
	whole.writeUInt32BE(data.length, 0);
	body.copy(whole, 4);
	whole.writeUInt32BE(crc(body), body.length + 4);
	return whole;
}

/** PNG, annex D; Node before 22.2 has no crc32 of its own. */
function crc(bytes) {
	if (zlib.crc32) return zlib.crc32(bytes);
	let value = 0xffffffff;
	for (const byte of bytes) {
		value ^= byte;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
	}
	return (value ^ 0xffffffff) >>> 0;
}

/** Undoes the filters of each row (PNG, section 9). */
function unfilter(data, height, stride, step) {
	const out = Buffer.alloc(height * stride);
	for (let y = 0; y < height; y++) {
		const filter = data[y * (stride + 1)];
		for (let x = 0; x < stride; x++) {
			const left = x >= step ? out[y * stride + x - step] : 0;
			const up = y > 0 ? out[(y - 1) * stride + x] : 0;
			const corner = x >= step && y > 0 ? out[(y - 1) * stride + x - step] : 0;
			const guess = left + up - corner;
			const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
			const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
			const add = [0, left, up, (left + up) >> 1, paeth][filter];
			out[y * stride + x] = data[y * (stride + 1) + 1 + x] + add;
		}
	}
	return out;
}

/** The same picture with at most 256 colours; the rarest become their nearest neighbour. Only opaque RGB or RGBA of 8 bits. */
export function toPalette(png) {
	const parts = [...chunks(png)];
	const head = parts.find(({ type }) => type === "IHDR").data;
	const [width, height, depth, kind] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]];
	const step = { 2: 3, 6: 4 }[kind];
	if (depth !== 8 || step === undefined) return png;
	const data = zlib.inflateSync(Buffer.concat(parts.filter(({ type }) => type === "IDAT").map((part) => part.data)));
	const pixels = unfilter(data, height, width * step, step);
	const counts = new Map();
	const colour = (at) => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
	for (let at = 0; at < pixels.length; at += step) counts.set(colour(at), (counts.get(colour(at)) ?? 0) + 1);
	const palette = [...counts]
		.sort((a, b) => b[1] - a[1] || a[0] - b[0])
		.slice(0, most)
		.map(([value]) => value);
	const distance = (a, b) =>
		[16, 8, 0].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0);
	const index = new Map(palette.map((value, i) => [value, i]));
	for (const value of counts.keys()) {
		if (index.has(value)) continue;
		let best = 0;
		for (let i = 1; i < palette.length; i++) if (distance(palette[i], value) < distance(palette[best], value)) best = i;
		index.set(value, best);
	}
	const rows = Buffer.alloc(height * (width + 1));
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = index.get(colour((y * width + x) * step));
	const header = Buffer.from(head);
	header[9] = 3;
	const colours = Buffer.from(palette.flatMap((value) => [value >> 16, (value >> 8) & 255, value & 255]));
	return Buffer.concat([
		signature,
		chunk("IHDR", header),
		chunk("PLTE", colours),
		chunk("IDAT", zlib.deflateSync(rows, { level: 9 })),
		chunk("IEND", Buffer.alloc(0)),
	]);
}
