import { fromUtf8 } from "../../../common/bytes.ts";
import { inBytes, limits } from "../../../common/limits.ts";
import { type ArchiveFiles, type Inflate, refused, tooMuch } from "./files.ts";

/** A .zip by its central directory (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4). */

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;
const entrySize = 46;
const localSize = 30;

/** File types of a Unix mode. */
const typeMask = 0o170000;
const regular = 0o100000;
const folder = 0o040000;
const link = 0o120000;

export function readZip(bytes: Uint8Array, into: ArchiveFiles, inflate: Inflate): void {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = findEnd(view);
	const count = view.getUint16(end + 10, true);
	let at = view.getUint32(end + 16, true);
	if (count === 0xffff || at === 0xffffffff)
		throw refused("The archive is a ZIP64 one, of more than 4 GiB or 65,534 entries");
	for (let i = 0; i < count; i++) {
		if (at + entrySize > view.byteLength || view.getUint32(at, true) !== entrySignature) throw damaged();
		at = readEntry(bytes, view, at, into, inflate);
	}
	into.resolveLinks();
}

function findEnd(view: DataView): number {
	const first = Math.max(0, view.byteLength - endSize - 0xffff);
	for (let at = view.byteLength - endSize; at >= first; at--) if (view.getUint32(at, true) === endSignature) return at;
	throw damaged();
}

/** Returns the place of the next entry. */
function readEntry(bytes: Uint8Array, view: DataView, at: number, into: ArchiveFiles, inflate: Inflate): number {
	const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
		number,
		number,
		number,
	];
	const next = at + entrySize + nameLength + extraLength + commentLength;
	if (next > bytes.length) throw damaged();
	const name = fromUtf8(bytes.subarray(at + entrySize, at + entrySize + nameLength));
	const path = into.place(name);
	if (path === undefined) return next;
	// 3: made on Unix, with a mode in the upper half of the attributes; macOS says 3, too.
	const type = view.getUint8(at + 5) === 3 ? view.getUint16(at + 40, true) & typeMask : 0;
	if (type === folder || /[\\/]$/.test(name)) return next;
	if (type !== 0 && type !== regular && type !== link)
		throw refused(`The archive has a device or a pipe in it: ${name}`);
	if (view.getUint16(at + 8, true) & 1) throw refused("The archive is encrypted");
	const size = view.getUint32(at + 24, true);
	if (size > limits.fileBytes) {
		into.skipped.push(`${path} is left out: it has ${inBytes(size)}`);
		return next;
	}
	const content = readContent(bytes, view, at, size, into, inflate);
	if (type === link) into.link(path, fromUtf8(content), path.split("/").slice(0, -1).join("/"));
	else into.add(path, content);
	return next;
}

function readContent(
	bytes: Uint8Array,
	view: DataView,
	at: number,
	size: number,
	into: ArchiveFiles,
	inflate: Inflate,
): Uint8Array {
	const [method, crc, packed] = [
		view.getUint16(at + 10, true),
		view.getUint32(at + 16, true),
		view.getUint32(at + 20, true),
	];
	const local = view.getUint32(at + 42, true);
	if (local + localSize > bytes.length || view.getUint32(local, true) !== localSignature) throw damaged();
	const start = local + localSize + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
	if (start + packed > bytes.length) throw damaged();
	if (size > into.room) throw tooMuch();
	const data = bytes.subarray(start, start + packed);
	if (method !== 0 && method !== 8)
		throw refused(`The archive is packed by a method (${method}) that only its own program reads`);
	const content = method === 0 ? data.slice() : unpack(data, size, inflate);
	if (content.length !== size || crc32(content) !== crc) throw damaged();
	return content;
}

/** What says that it has `size` bytes may have no more. */
function unpack(data: Uint8Array, size: number, inflate: Inflate): Uint8Array {
	try {
		return inflate(data, "raw", size);
	} catch {
		throw damaged();
	}
}

function damaged() {
	return refused("The archive is damaged or not a .zip");
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
	let value = byte;
	for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
	return value;
});

/** As of ISO 3309, which ZIP and gzip use. */
export function crc32(bytes: Uint8Array): number {
	let value = 0xffffffff;
	for (const byte of bytes) value = (table[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
	return ~value >>> 0;
}
