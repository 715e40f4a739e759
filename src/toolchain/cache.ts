import * as v from "valibot";
import { concat, utf8 } from "../common/bytes.ts";
import type { Diagnostic } from "../common/diagnostic.ts";
import type { CompileOutcome } from "./bundled/compiler.ts";

/** Finished compilations and links by key. Everything that could change a result is in the key; a lost entry only costs time. */
export interface ObjectCache {
	get(key: string): Promise<CompileOutcome | undefined>;
	put(key: string, outcome: CompileOutcome): Promise<void>;
}

/** An outcome as one block of bytes: length of the JSON part, JSON, object. */
export function packOutcome(outcome: CompileOutcome): Uint8Array {
	const { object, ...rest } = outcome;
	const json = utf8(JSON.stringify(rest));
	const head = new Uint8Array(4);
	new DataView(head.buffer).setUint32(0, json.length, true);
	return concat([head, json, object ?? new Uint8Array(0)]);
}

const positionSchema = { file: v.string(), line: v.optional(v.number()), column: v.optional(v.number()) };
const noteSchema: v.GenericSchema<Diagnostic> = v.lazy(() => diagnosticSchema) as v.GenericSchema<Diagnostic>;
const fixSchema = v.object({
	file: v.string(),
	line: v.number(),
	column: v.number(),
	endLine: v.number(),
	endColumn: v.number(),
	text: v.string(),
});
const diagnosticSchema = v.object({
	...positionSchema,
	severity: v.picklist(["error", "warning", "note"]),
	message: v.string(),
	code: v.optional(v.string()),
	flag: v.optional(v.string()),
	endLine: v.optional(v.number()),
	endColumn: v.optional(v.number()),
	notes: v.optional(v.array(noteSchema)),
	fixes: v.optional(v.array(fixSchema)),
});
const outcomeSchema = v.object({
	diagnostics: v.array(diagnosticSchema),
	text: v.string(),
	includes: v.array(v.string()),
});

/** Undefined for what no version of this product would take for an outcome: an older one may have written it, or nobody. */
export function unpackOutcome(bytes: Uint8Array): CompileOutcome | undefined {
	if (bytes.length < 4) return undefined;
	const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
	if (4 + length > bytes.length) return undefined;
	let rest: unknown;
	try {
		rest = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
	} catch {
		return undefined;
	}
	const object = bytes.slice(4 + length);
	// Only what succeeded is kept.
	if (!v.is(outcomeSchema, rest) || !isObject(object)) return undefined;
	return { ...(rest as Omit<CompileOutcome, "object">), object };
}

/** ELF, or WebAssembly for mkfs: an object or a linked image. */
function isObject([a, b, c, d]: Uint8Array): boolean {
	return (a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46) || (a === 0 && b === 0x61 && c === 0x73 && d === 0x6d);
}

/** Results of this session; the least recently used ones go when their sum passes `maxBytes`. */
export class MemoryCache implements ObjectCache {
	/** In the order of their last use. */
	private readonly entries = new Map<string, CompileOutcome>();
	private bytes = 0;

	/** Some hundred trees' worth of edits. */
	constructor(private readonly maxBytes = 64 * 1024 * 1024) {}

	async get(key: string): Promise<CompileOutcome | undefined> {
		const found = this.entries.get(key);
		if (!found) return undefined;
		this.entries.delete(key);
		this.entries.set(key, found);
		return found;
	}

	async put(key: string, outcome: CompileOutcome): Promise<void> {
		this.drop(key);
		this.entries.set(key, outcome);
		this.bytes += sizeOf(outcome);
		for (const oldest of this.entries.keys()) {
			if (this.bytes <= this.maxBytes) break;
			this.drop(oldest);
		}
	}

	private drop(key: string): void {
		const known = this.entries.get(key);
		if (!known) return;
		this.entries.delete(key);
		this.bytes -= sizeOf(known);
	}
}

/** Objects are nearly all of it; text counts two bytes a character. */
const sizeOf = ({ object, text }: CompileOutcome) => (object?.length ?? 0) + 2 * text.length;

/** Asks one after the other, the fastest first; what is new goes to all of them. Those that ship take nothing. */
export class LayeredCache implements ObjectCache {
	constructor(private readonly layers: readonly ObjectCache[]) {}

	async get(key: string): Promise<CompileOutcome | undefined> {
		for (const layer of this.layers) {
			const found = await layer.get(key);
			if (found) return found;
		}
		return undefined;
	}

	async put(key: string, outcome: CompileOutcome): Promise<void> {
		await Promise.all(this.layers.map((layer) => layer.put(key, outcome)));
	}
}

/** Objects of the bundled kernel and labs: `[u32 count][{64 hex key, u32 offset, u32 length}…][blocks]`, read only. */
export class PrebuiltCache implements ObjectCache {
	private readonly entries = new Map<string, Uint8Array>();

	constructor(archive: Uint8Array) {
		const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
		const count = view.getUint32(0, true);
		for (let i = 0; i < count; i++) {
			const at = 4 + i * 72;
			const key = new TextDecoder().decode(archive.subarray(at, at + 64));
			const offset = view.getUint32(at + 64, true);
			this.entries.set(key, archive.subarray(offset, offset + view.getUint32(at + 68, true)));
		}
	}

	static pack(outcomes: ReadonlyMap<string, CompileOutcome>): Uint8Array {
		const keys = [...outcomes.keys()].sort();
		const blocks = keys.map((key) => packOutcome(outcomes.get(key) as CompileOutcome));
		const head = new Uint8Array(4 + 72 * keys.length);
		const view = new DataView(head.buffer);
		view.setUint32(0, keys.length, true);
		let offset = head.length;
		keys.forEach((key, i) => {
			head.set(utf8(key), 4 + i * 72);
			view.setUint32(4 + i * 72 + 64, offset, true);
			view.setUint32(4 + i * 72 + 68, (blocks[i] as Uint8Array).length, true);
			offset += (blocks[i] as Uint8Array).length;
		});
		return concat([head, ...blocks]);
	}

	async get(key: string): Promise<CompileOutcome | undefined> {
		const block = this.entries.get(key);
		return block && unpackOutcome(block);
	}

	async put(): Promise<void> {}
}
