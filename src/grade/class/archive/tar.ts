import { fromUtf8 } from "../../../common/bytes.ts";
import { inBytes, limits } from "../../../common/limits.ts";
import { type ArchiveFiles, refused } from "./files.ts";

/** A .tar: POSIX ustar and pax (IEEE Std 1003.1, pax, EXTENDED DESCRIPTION), with GNU tar's long names. */

const block = 512;

export function readTar(bytes: Uint8Array, into: ArchiveFiles): void {
	let named: { path?: string; linkpath?: string; size?: number } = {};
	let at = 0;
	let count = 0;
	while (at + block <= bytes.length) {
		const header = bytes.subarray(at, at + block);
		if (header.every((byte) => byte === 0)) break;
		checkSum(header);
		if (++count > 2 * limits.treeEntries) throw refused("The archive has too many entries");
		const type = String.fromCharCode(header[156] ?? 0);
		const size =
			(type === "x" || type === "L" || type === "K" ? undefined : named.size) ?? number(header.subarray(124, 136));
		const start = at + block;
		if (size < 0 || start + size > bytes.length) throw damaged();
		const content = bytes.subarray(start, start + size);
		at = start + Math.ceil(size / block) * block;
		if (type === "x") named = { ...named, ...paxOf(content) };
		else if (type === "L") named = { ...named, path: cString(content) };
		else if (type === "K") named = { ...named, linkpath: cString(content) };
		else if (type !== "g") {
			const path = named.path ?? nameOf(header);
			take(type, path, named.linkpath ?? cString(header.subarray(157, 257)), content, into);
			named = {};
		}
	}
	if (count === 0) throw damaged();
	into.resolveLinks();
}

function take(type: string, name: string, target: string, content: Uint8Array, into: ArchiveFiles): void {
	const path = into.place(name);
	if (path === undefined || type === "5") return;
	if (type === "1") into.link(path, target, "");
	else if (type === "2") into.link(path, target, path.split("/").slice(0, -1).join("/"));
	else if (type === "3" || type === "4" || type === "6")
		throw refused(`The archive has a device or a pipe in it: ${name}`);
	// 7: a file that wants to lie in one piece; anything unknown is to be taken for a file, too.
	else if (content.length > limits.fileBytes)
		into.skipped.push(`${path} is left out: it has ${inBytes(content.length)}`);
	else into.add(path, content.slice());
}

function nameOf(header: Uint8Array): string {
	const name = cString(header.subarray(0, 100));
	const prefix = cString(header.subarray(257, 262)) === "ustar" ? cString(header.subarray(345, 500)) : "";
	// GNU's older magic is followed by blanks, and has other things in the prefix's place.
	return prefix !== "" && header[262] === 0 ? `${prefix}/${name}` : name;
}

/** `length key=value\n`, the length counting the whole record. */
function paxOf(content: Uint8Array): { path?: string; linkpath?: string; size?: number } {
	const found: { path?: string; linkpath?: string; size?: number } = {};
	for (let at = 0; at < content.length; ) {
		const space = content.indexOf(0x20, at);
		const length = space < 0 ? Number.NaN : Number(fromUtf8(content.subarray(at, space)));
		if (!(length > space - at + 1) || at + length > content.length) throw damaged();
		const record = fromUtf8(content.subarray(space + 1, at + length - 1));
		const equals = record.indexOf("=");
		const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
		if (key === "path") found.path = value;
		else if (key === "linkpath") found.linkpath = value;
		else if (key === "size") found.size = Number(value);
		at += length;
	}
	if (found.size !== undefined && !Number.isSafeInteger(found.size)) throw damaged();
	return found;
}

/** Octal, or with the top bit set big-endian binary (GNU). */
function number(field: Uint8Array): number {
	if ((field[0] ?? 0) & 0x80) {
		return field.slice(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
	}
	const text = cString(field).trim();
	const value = text === "" ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
	if (!Number.isSafeInteger(value)) throw damaged();
	return value;
}

function checkSum(header: Uint8Array): void {
	let sum = 0;
	for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 0x20 : byte;
	if (sum !== number(header.subarray(148, 156))) throw damaged();
}

function cString(bytes: Uint8Array): string {
	const end = bytes.indexOf(0);
	return fromUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}

function damaged() {
	return refused("The archive is damaged or not a .tar");
}
